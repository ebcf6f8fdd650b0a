// The runs of one commit, newest first; what begins or ends meanwhile makes them be read again.
import { computed, onScopeDispose, type Ref } from 'vue'
import { listRuns } from '@/api/calls'
import { customOf, shortType } from '@/lib/events'
import { useLoading } from '@/lib/loading'
import { useConnection } from '@/stores/connection'

const most = 50
const soon = 500 // ms: several events at once are one look

export function useCommitRuns(repository: Ref<string>, commit: Ref<string | undefined>, at: Ref<string | undefined>) {
  const loading = useLoading(
    () => JSON.stringify([repository.value, commit.value, at.value]),
    async (signal) => {
      if (!commit.value) return []
      const { runs } = await listRuns(
        { repository: repository.value, commit: commit.value },
        null,
        most,
        at.value,
        signal,
      )
      return runs.filter((run) => run.commit === commit.value)
    },
  )
  let timer: ReturnType<typeof setTimeout> | undefined
  const deaf = useConnection().listen((event) => {
    if (at.value !== undefined || timer || !/^pipelinerun\./.test(shortType(event.type))) return
    if (customOf(event).repository !== repository.value) return
    timer = setTimeout(() => {
      timer = undefined
      void loading.again()
    }, soon)
  })
  onScopeDispose(() => {
    deaf()
    clearTimeout(timer)
  })
  return { ...loading, runs: computed(() => loading.value.value ?? []) }
}
