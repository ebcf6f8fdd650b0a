// A job's log as it is read: one buffer, told to the page once a frame however fast it grows. Of a log that is longer than a
// page holds, the end is held.
import { onScopeDispose, ref, shallowRef, triggerRef, watch, type Ref } from 'vue'
import { followLog } from '@/api/calls'
import { ApiError } from '@/api/client'
import { realTime } from '@/api/live'
import type { Job } from '@/api/types'
import { bytesMost, LogBuffer } from './buffer'
import { readLog } from './reader'

const MiB = 1024 * 1024
const lastAtFirst = 48 * MiB // of a log that grows, so that there is room for what comes
const lastOnceFull = 16 * MiB // when it has outgrown the page: at 50 MB/s that is read again once a second

// A job that no runner has had has no log, and the server knows nothing of it.
function noneYet(error: unknown): Response {
  if (error instanceof ApiError && error.status === 404) return new Response('')
  throw error
}

export function useLog(job: Ref<Job>) {
  const buffer = shallowRef(new LogBuffer())
  const loaded = shallowRef(false)
  const error = shallowRef<ApiError>()
  const begun = ref(0) // how often another part of the log was begun with: what is known of its lines is void then
  let current = new AbortController()
  let frame = 0

  async function read(last: number): Promise<void> {
    current.abort()
    cancelAnimationFrame(frame)
    frame = 0
    const mine = (current = new AbortController())
    const reading = new LogBuffer()
    const { job: id, attempt } = job.value
    // What was shown stays until there is something to show in its place.
    const painted = (): void => {
      frame = 0
      if (buffer.value === reading) return triggerRef(buffer)
      buffer.value = reading
      begun.value++
    }
    loaded.value = false
    error.value = undefined
    try {
      await readLog(
        reading,
        last,
        {
          open: (begin, follow, signal) => followLog(id, attempt, begin, follow, signal).catch(noneYet),
          over: () => job.value.status === 'completed',
          sleep: realTime.sleep,
        },
        () => (frame ||= requestAnimationFrame(painted)),
        mine.signal,
      )
    } catch (caught) {
      if (!mine.signal.aborted)
        error.value = caught instanceof ApiError ? caught : new ApiError(0, 'offline', String(caught))
    }
    if (mine.signal.aborted) return
    cancelAnimationFrame(frame)
    painted()
    loaded.value = true
  }
  const over = () => job.value.status === 'completed'
  const again = () => read(over() ? bytesMost : lastAtFirst)
  // The end of what has come since the page could hold no more.
  const further = () => read(over() ? bytesMost : lastOnceFull)

  // A runner that takes the job begins its log.
  watch(
    () => `${job.value.job} ${job.value.attempt} ${job.value.runner}`,
    () => {
      buffer.value = new LogBuffer()
      begun.value++
      void again()
    },
    { immediate: true },
  )
  onScopeDispose(() => {
    current.abort()
    cancelAnimationFrame(frame)
  })
  return { buffer, begun, loaded, error, again, further }
}
