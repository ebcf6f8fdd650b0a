// The runs list as it is loaded: pages on demand, and what is said meanwhile.
import { onScopeDispose, ref, shallowRef, triggerRef, watch, type Ref } from 'vue'
import { listRuns } from '@/api/calls'
import { ApiError, offsetOf } from '@/api/client'
import { heard } from '@/api/heard'
import { useConnection } from '@/stores/connection'
import { RunsProjection } from '@/stores/runs'
import type { RunFilter } from './runFilter'

const pageSize = 50
const looksAtOnce = 10 // where the server looked at many and found few, before somebody asks for more

export function useRunsList(filter: Ref<RunFilter>, at: Ref<string | undefined>) {
  const list = shallowRef(new RunsProjection(filter.value))
  const error = shallowRef<ApiError>()
  const ready = ref(false)
  const busy = ref(false)
  const more = ref(false)
  const lookedUntil = ref<string | null>(null)
  let cursor: string | null = null
  let current = new AbortController()

  async function older(): Promise<void> {
    if (busy.value) return
    busy.value = true
    const { signal } = current
    try {
      await readOn(signal)
      error.value = undefined
    } catch (caught) {
      if (!signal.aborted) error.value = caught as ApiError
    } finally {
      if (!signal.aborted) busy.value = false
    }
  }

  async function readOn(signal: AbortSignal): Promise<void> {
    const goal = list.value.rows.length + pageSize / 2
    for (let look = 0; look < looksAtOnce && list.value.rows.length < goal; look++) {
      const { repo: repository, ...rest } = filter.value
      const answer = await listRuns({ repository, ...rest }, cursor, pageSize, at.value, signal)
      if (signal.aborted) return
      list.value.add(answer.runs, offsetOf(answer), at.value === undefined ? heard.since(offsetOf(answer)) : [])
      lookedUntil.value = answer.looked_until
      cursor = answer.next
      more.value = cursor !== null
      ready.value = true
      triggerRef(list)
      if (!cursor || !answer.looked_until) return
    }
  }

  function begin(): void {
    current.abort()
    current = new AbortController()
    list.value = new RunsProjection(filter.value)
    cursor = null
    ready.value = more.value = busy.value = false
    lookedUntil.value = null
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
  return { list, error, ready, busy, more, lookedUntil, older, begin, showFresh }
}
