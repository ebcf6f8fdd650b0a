// The list of events: newest first, older ones on demand, new ones as they are said.
import { onScopeDispose, ref, shallowRef, triggerRef, watch, type Ref } from 'vue'
import { listEvents, openEventStream } from '@/api/calls'
import { ApiError, offsetOf } from '@/api/client'
import { readBack } from '@/api/eventsBack'
import { heard } from '@/api/heard'
import { Live, realTime } from '@/api/live'
import { useConnection } from '@/stores/connection'
import type { PlatformEvent } from '@/api/types'

const pageSize = 100
const freshMost = 2_000 // of new ones that wait; beyond that they are counted, and read when they are asked for

export function useEventsList(filter: Ref<string>, at: Ref<string | undefined>) {
  const events = shallowRef<PlatformEvent[]>([])
  const fresh = shallowRef<PlatformEvent[]>([])
  const freshCount = ref(0)
  const error = shallowRef<ApiError>()
  const ready = ref(false)
  const busy = ref(false)
  const more = ref(false)
  let next: number | null = null
  let current = new AbortController()
  const connection = useConnection()
  let last = 0 // offset up to which the pages were read; what is said after it is new
  let deaf: (() => void) | undefined
  let frame = 0

  async function begin(): Promise<void> {
    current.abort()
    deaf?.()
    const { signal } = (current = new AbortController())
    events.value = fresh.value = []
    freshCount.value = 0
    ready.value = more.value = busy.value = false
    error.value = undefined
    next = null
    try {
      await readMore(signal)
      if (signal.aborted || at.value !== undefined) return
      if (filter.value !== '') hearFiltered(last)
      else hearAll()
    } catch (caught) {
      if (!signal.aborted) error.value = caught as ApiError
    }
  }
  async function readMore(signal: AbortSignal): Promise<void> {
    const piece = await readBack(next, pageSize / 2, (from) =>
      listEvents({ filter: filter.value, order: 'newest', from, limit: pageSize, at: at.value }, signal),
    )
    if (signal.aborted) return
    if (!ready.value) last = Math.max(offsetOf(piece.first), piece.events[0]?.offset ?? 0)
    events.value = [...events.value, ...piece.events]
    next = piece.next
    more.value = next !== null
    ready.value = true
  }
  async function older(): Promise<void> {
    if (busy.value || !more.value) return
    busy.value = true
    const { signal } = current
    try {
      await readMore(signal)
    } catch (caught) {
      if (!signal.aborted) error.value = caught as ApiError
    } finally {
      if (!signal.aborted) busy.value = false
    }
  }

  // All events come over the one connection; the server filters only what is asked for with a filter.
  function hearAll(): void {
    heard.since(last).forEach(take)
    deaf = connection.listen(take)
  }
  function hearFiltered(after: number): void {
    const stream = (from: number | null, signal: AbortSignal) => openEventStream(from, signal, filter.value)
    const live = new Live({ open: stream, ...realTime }, { event: take, state: () => {} })
    live.start(after)
    deaf = () => live.stop()
  }
  function take(event: PlatformEvent): void {
    if (event.offset <= last) return
    freshCount.value++
    if (fresh.value.length < freshMost) fresh.value.unshift(event)
    frame ||= requestAnimationFrame(() => {
      frame = 0
      triggerRef(fresh)
    })
  }
  function showFresh(): void {
    if (freshCount.value > fresh.value.length) return void begin()
    events.value = [...fresh.value, ...events.value]
    fresh.value = []
    freshCount.value = 0
  }

  watch([filter, at], () => void begin(), { immediate: true })
  onScopeDispose(() => {
    current.abort()
    deaf?.()
    cancelAnimationFrame(frame)
  })
  return { events, fresh, freshCount, error, ready, busy, more, older, begin, showFresh }
}
