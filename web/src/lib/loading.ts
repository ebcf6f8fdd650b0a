// One thing that is loaded: what was there stays while it is loaded anew, and a page that is left asks no more.
import { onScopeDispose, ref, shallowRef, watch, type Ref, type WatchSource } from 'vue'
import { ApiError } from '@/api/client'

export interface Loading<T> {
  value: Ref<T | undefined>
  error: Ref<ApiError | undefined>
  busy: Ref<boolean>
  again(): Promise<void>
}

export function useLoading<T>(source: WatchSource<unknown>, load: (signal: AbortSignal) => Promise<T>): Loading<T> {
  const value = shallowRef<T>()
  const error = shallowRef<ApiError>()
  const busy = ref(false)
  let current: AbortController | undefined

  async function again(): Promise<void> {
    current?.abort()
    const mine = (current = new AbortController())
    busy.value = true
    try {
      const loaded = await load(mine.signal)
      if (mine.signal.aborted) return
      value.value = loaded
      error.value = undefined
    } catch (caught) {
      if (mine.signal.aborted) return
      error.value = caught instanceof ApiError ? caught : new ApiError(0, 'corrupt', String(caught))
    } finally {
      if (mine === current) busy.value = false
    }
  }
  watch(
    source,
    () => {
      value.value = undefined
      void again()
    },
    { immediate: true },
  )
  onScopeDispose(() => current?.abort())
  return { value, error, busy, again }
}
