// What can be done with a run. The platform decides: an act is asked for until what is said of the run shows it.
import { computed, inject, provide, ref, watch, type InjectionKey, type Ref } from 'vue'
import { cancelRun, listEvents, rerun } from '@/api/calls'
import { ApiError } from '@/api/client'
import { readBack } from '@/api/eventsBack'
import type { Run } from '@/api/types'
import { useText } from '@/i18n'
import { useMoment } from '@/lib/moment'
import { useClock } from '@/stores/clock'
import { useConnection } from '@/stores/connection'

const said = 10_000 // ms: by then an event is in the log, whatever its own time

export type Act = 'cancel' | 'kill' | 'all' | 'failed' | 'job'

export type Acts = ReturnType<typeof makeActs>
const key: InjectionKey<Acts> = Symbol('acts')

export function provideActs(run: Ref<Run | undefined>, look: () => void): Acts {
  const acts = makeActs(run, look)
  provide(key, acts)
  return acts
}

export function useActs(): Acts {
  const acts = inject(key)
  if (!acts) throw new Error('This view stands within the page of a run.')
  return acts
}

function makeActs(run: Ref<Run | undefined>, look: () => void) {
  const { t } = useText()
  const { past } = useMoment()
  const connection = useConnection()
  const clock = useClock()
  const asked = ref<{ act: Act; since: number } | null>(null)
  const refused = ref('')

  const over = computed(() => run.value?.status === 'completed')
  const running = computed(() => run.value !== undefined && !over.value)
  const forbidden = computed(() => {
    if (past.value) return t('run.acts.inPast')
    return connection.state === 'offline' ? t('run.acts.offline') : ''
  })

  async function ask(act: Act, call: () => Promise<unknown>): Promise<void> {
    if (forbidden.value || (asked.value && act !== 'kill')) return
    asked.value = { act, since: Date.now() }
    refused.value = ''
    try {
      await call()
      look()
    } catch (error) {
      asked.value = null
      refused.value = error instanceof ApiError ? error.message : String(error)
    }
  }
  const id = () => run.value!.id
  const acts = {
    cancel: () => ask('cancel', () => cancelRun(id(), false)),
    kill: () => ask('kill', () => cancelRun(id(), true)),
    all: () => ask('all', () => rerun(id(), {})),
    failed: () => ask('failed', () => rerun(id(), { failed: true })),
    job: (key: string) => ask('job', () => rerun(id(), { job: key })),
  }
  watch([over, () => run.value?.attempt], () => (asked.value = null))

  const waited = computed(() => (asked.value ? clock.now.getTime() - asked.value.since : 0))
  const waiting = computed(() => {
    if (!asked.value || waited.value < 2_000) return ''
    return waited.value < 10_000 ? t('run.acts.still') : t('run.acts.whereToLook')
  })
  return { ...acts, asked, refused, over, running, forbidden, waiting }
}

// The event that started a run's chain is named by the first that was said of the run itself: about when it was made.
export async function firstEventOf(run: Run): Promise<string | undefined> {
  const filter = `type = 'dev.cdevents.pipelinerun.queued.0.3.0' AND subject = '${run.run}'`
  const at = run.created_at ? new Date(Date.parse(run.created_at) + said).toISOString() : undefined
  const { events } = await readBack(null, 1, (from) => listEvents({ filter, order: 'newest', from, limit: 100, at }))
  return events.at(-1)?.id // attempts that followed at once were queued as well
}
