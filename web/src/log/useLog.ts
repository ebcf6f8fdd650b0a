// A job's log as it is read: one buffer, told to the page once a frame however fast it grows.
import { onScopeDispose, shallowRef, triggerRef, watch, type Ref } from 'vue'
import { followLog } from '@/api/calls'
import { ApiError } from '@/api/client'
import { realTime } from '@/api/live'
import type { Job } from '@/api/types'
import { LogBuffer } from './buffer'
import { readLog } from './reader'

// A job that no runner has had has no log, and the server knows nothing of it.
function noneYet(error: unknown): Response {
  if (error instanceof ApiError && error.status === 404) return new Response('')
  throw error
}

export function useLog(job: Ref<Job>) {
  const buffer = shallowRef(new LogBuffer())
  const loaded = shallowRef(false)
  const error = shallowRef<ApiError>()
  let current = new AbortController()
  let frame = 0

  function painted(): void {
    frame = 0
    triggerRef(buffer)
  }
  function changed(): void {
    frame ||= requestAnimationFrame(painted)
  }

  async function begin(): Promise<void> {
    current.abort()
    const mine = (current = new AbortController())
    const { job: id, attempt } = job.value
    buffer.value = new LogBuffer()
    loaded.value = false
    error.value = undefined
    try {
      await readLog(
        buffer.value,
        {
          open: (from, follow, signal) => followLog(id, attempt, from, follow, signal).catch(noneYet),
          over: () => job.value.status === 'completed',
          sleep: realTime.sleep,
        },
        changed,
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
  // A runner that takes the job begins its log.
  watch(() => `${job.value.job} ${job.value.attempt} ${job.value.runner}`, begin, { immediate: true })
  onScopeDispose(() => {
    current.abort()
    cancelAnimationFrame(frame)
  })
  return { buffer, loaded, error, again: begin }
}
