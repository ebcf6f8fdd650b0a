// A value that is read again when the platform says something, and while it moves by itself; where nobody looks at the
// page nothing is asked. What the log tells drives it, so an idle platform is not asked at all.
import { onScopeDispose, computed, watch, type ComputedRef, type WatchSource } from 'vue'
import type { ApiError } from '@/api/client'
import type { PlatformEvent } from '@/api/types'
import { useConnection } from '@/stores/connection'
import { useLoading, type Loading } from './loading'

export const soonAfter = 300
export const apart = 2_000 // at least, from one reading to the next
export const whileMoving = 3_000

export interface Fresh<T> extends Omit<Loading<T>, 'error'> {
  error: ComputedRef<ApiError | undefined>
}

export interface Reasons<T> {
  heeds?: (event: PlatformEvent) => boolean // whether what was said may have changed it; left out: anything may
  moves?: (value: T) => boolean // ages or rates of it change although nothing is said
  every?: number // milliseconds, while it moves
}

export function useFresh<T>(
  source: WatchSource<unknown>,
  load: (signal: AbortSignal) => Promise<T>,
  { heeds = () => true, moves = () => false, every = whileMoving }: Reasons<T> = {},
): Fresh<T> {
  const connection = useConnection()
  const loading = useLoading(source, load)
  let timer: ReturnType<typeof setTimeout> | undefined
  let due = 0
  let read = 0
  let missed = false

  function soon(after: number): void {
    const at = Math.max(Date.now() + after, read + apart)
    if (timer !== undefined && due <= at) return
    clearTimeout(timer)
    due = at
    timer = setTimeout(again, at - Date.now())
  }
  function again(): void {
    timer = undefined
    missed = document.hidden
    if (missed || loading.busy.value) return
    read = Date.now()
    void loading.again()
  }
  function looked(): void {
    if (!document.hidden && missed) soon(0)
  }
  const deaf = connection.listen((event) => heeds(event) && soon(soonAfter))
  const stop = watch(loading.value, (value) => {
    read = Date.now()
    if (value !== undefined && moves(value)) soon(every)
  })
  watch(
    () => connection.state,
    (state, before) => state === 'live' && before !== 'connecting' && soon(soonAfter), // what was said meanwhile
  )
  addEventListener('visibilitychange', looked)
  onScopeDispose(() => {
    deaf()
    stop()
    clearTimeout(timer)
    removeEventListener('visibilitychange', looked)
  })
  // What was there stays with its age while the server is away; the frame says that it is.
  const error = computed(() =>
    loading.value.value !== undefined && loading.error.value?.code === 'offline' ? undefined : loading.error.value,
  )
  return { ...loading, error }
}
