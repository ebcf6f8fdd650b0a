// The runs list as it is loaded: pages on demand, until enough fit, and what is said meanwhile.
import { onScopeDispose, ref, shallowRef, triggerRef, watch, type Ref } from 'vue'
import { listRuns } from '@/api/calls'
import { ApiError } from '@/api/client'
import { useConnection } from '@/stores/connection'
import { RunsProjection } from '@/stores/runs'
import type { RunFilter } from './runFilter'

const pageSize = 50
const pagesAtOnce = 5 // read in search of runs that fit, before somebody asks for more

export function useRunsList(filter: Ref<RunFilter>, at: Ref<string | undefined>) {
  const list = shallowRef(new RunsProjection(filter.value))
  const error = shallowRef<ApiError>()
  const ready = ref(false)
  const busy = ref(false)
  const more = ref(false)
  const looked = ref(0)
  let cursor: string | null = null
  let current = new AbortController()

  async function older(): Promise<void> {
    if (busy.value) return
    busy.value = true
    const { signal } = current
    try {
      await readPages(signal)
      error.value = undefined
    } catch (caught) {
      if (!signal.aborted) error.value = caught as ApiError
    } finally {
      if (!signal.aborted) busy.value = false
    }
  }

  async function readPages(signal: AbortSignal): Promise<void> {
    const goal = list.value.rows.length + pageSize / 2
    for (let page = 0; page < pagesAtOnce && list.value.rows.length < goal; page++) {
      const { repo: repository, ...rest } = filter.value
      const answer = await listRuns({ repository, ...rest }, cursor, pageSize, at.value, signal)
      if (signal.aborted) return
      list.value.add(answer.runs)
      looked.value += answer.runs.length
      cursor = answer.next
      more.value = cursor !== null
      ready.value = true
      triggerRef(list)
      if (!cursor) return
    }
  }

  function begin(): void {
    current.abort()
    current = new AbortController()
    list.value = new RunsProjection(filter.value)
    cursor = null
    ready.value = more.value = busy.value = false
    looked.value = 0
    error.value = undefined
    void older()
  }
  function showFresh(): void {
    list.value.showFresh()
    triggerRef(list)
  }

  const deaf = useConnection().listen((event) => {
    if (at.value === undefined && list.value.apply(event)) triggerRef(list)
  })
  watch([filter, at], begin, { immediate: true })
  onScopeDispose(() => {
    current.abort()
    deaf()
  })
  return { list, error, ready, busy, more, looked, older, begin, showFresh }
}
