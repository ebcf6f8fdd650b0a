// The one live connection of a page, for all that listen.
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import { openEventStream, showStatus } from '@/api/calls'
import { heard } from '@/api/heard'
import { Live, realTime, type Connection } from '@/api/live'
import type { PlatformEvent } from '@/api/types'

const patience = 2_000 // ms, for an answer that tells where to begin

type Listener = (event: PlatformEvent) => void

export const useConnection = defineStore('connection', () => {
  const state = ref<Connection>('connecting')
  const lastHeard = shallowRef<Date | null>(null) // as of when what is shown is right, where it is not live
  const offset = ref<number | null>(null)
  const listeners = new Set<Listener>()

  // The stream begins where what is shown ends: what pages read says how far it shows the log. Where no answer says so, what
  // is said from now on is heard.
  async function first(signal: AbortSignal): Promise<number> {
    const told = await Promise.race([heard.begin(), realTime.sleep(patience, signal)])
    const after = told ?? heard.beginAfter((await showStatus(signal)).log.durable)
    offset.value = after
    return after
  }
  const live = new Live(
    { first, open: (after, signal) => openEventStream(after, signal), ...realTime },
    {
      event(event) {
        offset.value = event.offset
        heard.hear(event)
        for (const listener of listeners) listener(event)
      },
      state(next) {
        if (state.value === 'live') lastHeard.value = new Date()
        state.value = next
      },
    },
  )

  const begin = () => live.start()
  // What is shown next is read anew.
  function end(): void {
    live.forget()
    heard.forget()
    offset.value = null
  }
  // Goes on where it was.
  function resume(): void {
    live.stop()
    live.start()
  }
  function listen(listener: Listener): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  addEventListener('online', () => live.hurry())
  addEventListener('visibilitychange', () => live.hurry())
  return { state, lastHeard, offset, begin, end, resume, listen }
})
