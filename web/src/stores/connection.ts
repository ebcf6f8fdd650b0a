// The one live connection of a page, for all that listen.
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import { openEventStream, showStatus } from '@/api/calls'
import { Live, realTime, type Connection } from '@/api/live'
import type { PlatformEvent, Status } from '@/api/types'

type Listener = (event: PlatformEvent) => void

export const useConnection = defineStore('connection', () => {
  const state = ref<Connection>('connecting')
  const lastHeard = shallowRef<Date | null>(null) // as of when what is shown is right, where it is not live
  const offset = ref<number | null>(null)
  const status = shallowRef<Status>() // as it was when the stream began
  const listeners = new Set<Listener>()

  const live = new Live(
    { open: (after, signal) => openEventStream(after, signal), ...realTime },
    {
      event(event) {
        offset.value = event.offset
        for (const listener of listeners) listener(event)
      },
      state(next) {
        if (state.value === 'live') lastHeard.value = new Date()
        state.value = next
      },
    },
  )

  // Pages load what is now and then apply what comes: so the stream begins where the log was before they loaded.
  let began: Promise<void> | null = null
  function begin(): Promise<void> {
    began ??= showStatus()
      .then((now) => (status.value = now).log.durable)
      .catch(() => null)
      .then((durable) => {
        offset.value = durable
        live.start(durable)
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
  return { state, lastHeard, offset, status, begin, end, listen }
})
