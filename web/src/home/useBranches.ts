// The default branches of the repositories that one may see: each the newest runs of it, followed as they go on.
import { computed, onScopeDispose, shallowRef, triggerRef, watch, type Ref } from 'vue'
import { listRuns } from '@/api/calls'
import { ApiError, offsetOf } from '@/api/client'
import { heard } from '@/api/heard'
import type { Repository, Run } from '@/api/types'
import { useConnection } from '@/stores/connection'
import { RunsProjection } from '@/stores/runs'
import { stateOf, type BranchState } from './branches'

const runsRead = 20 // of one branch: enough for the newest of each of its workflows
const readAtOnce = 6
export const branchesMost = 60 // further repositories are in the list of runs

export interface Branch {
  repository: Repository
  state: BranchState
}

export function useBranches(repositories: Ref<Repository[] | undefined>, at: Ref<string | undefined>) {
  const known = shallowRef(new Map<number, RunsProjection>())
  const error = shallowRef<ApiError>()
  let current = new AbortController()

  async function begin(): Promise<void> {
    current.abort()
    const { signal } = (current = new AbortController())
    known.value = new Map()
    error.value = undefined
    const waiting = (repositories.value ?? []).slice(0, branchesMost)
    const readOn = async (): Promise<void> => {
      for (let one = waiting.shift(); one; one = waiting.shift()) await read(one, signal)
    }
    try {
      await Promise.all(Array.from({ length: readAtOnce }, readOn))
    } catch (caught) {
      if (!signal.aborted) error.value = caught as ApiError
    }
  }
  async function read(one: Repository, signal: AbortSignal): Promise<void> {
    const wanted = { repository: one.full_name, branch: one.default_branch }
    const projection = new RunsProjection({ repo: one.full_name, branch: one.default_branch })
    known.value.set(one.id, projection) // what is said while it is read is not lost
    const answer = await listRuns(wanted, null, runsRead, at.value, signal)
    if (signal.aborted) return
    projection.add(answer.runs, offsetOf(answer), at.value === undefined ? heard.since(offsetOf(answer)) : [])
    loaded.value.add(one.id)
    triggerRef(known)
    triggerRef(loaded)
  }
  const loaded = shallowRef(new Set<number>())

  const deaf = useConnection().listen((event) => {
    if (at.value !== undefined) return
    let changed = false
    for (const projection of known.value.values()) {
      changed = projection.apply(event) || changed
      projection.showFresh() // a state is shown in place; no row comes in
    }
    if (changed) triggerRef(known)
  })
  watch(
    [() => repositories.value?.map((one) => `${one.id} ${one.default_branch}`).join(), at],
    () => {
      loaded.value = new Set()
      void begin()
    },
    { immediate: true },
  )
  onScopeDispose(() => {
    deaf()
    current.abort()
  })

  const branches = computed<Branch[]>(() =>
    (repositories.value ?? []).slice(0, branchesMost).map((repository) => {
      const rows: Run[] = known.value.get(repository.id)?.rows ?? []
      return { repository, state: stateOf(rows, loaded.value.has(repository.id)) }
    }),
  )
  return { branches, error, again: begin }
}
