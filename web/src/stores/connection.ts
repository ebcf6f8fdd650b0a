// The one live connection of a page, for all that listen.
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import { openEventStream } from '@/api/calls'
import { heard } from '@/api/heard'
import { Live, realTime, type Connection } from '@/api/live'
import type { PlatformEvent } from '@/api/types'

type Listener = (event: PlatformEvent) => void

export const useConnection = defineStore('connection', () => {
  const state = ref<Connection>('connecting')
  const lastHeard = shallowRef<Date | null>(null) // as of when what is shown is right, where it is not live
  const offset = ref<number | null>(null)
  const listeners = new Set<Listener>()

  const live = new Live(
    { open: (after, signal) => openEventStream(after, signal), ...realTime },
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

  // The stream begins where what is shown ends: what pages read says how far it shows the log.
  let began: Promise<void> | null = null
  function begin(): Promise<void> {
    began ??= heard.begin().then((after) => {
      offset.value ??= after
      live.start(after)
    })
    return began
  }
  function end(): void {
    live.stop()
    began = null
  }
  function listen(listener: Listener): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  addEventListener('online', () => live.hurry())
  addEventListener('visibilitychange', () => live.hurry())
  return { state, lastHeard, offset, begin, end, listen }
})
