// One subscription as its page has it, and what can be done with it.
import { computed, ref, type Ref } from 'vue'
import { useRouter } from 'vue-router'
import {
  deleteSubscription,
  listDeadLetters,
  pauseSubscription,
  resumeSubscription,
  seekSubscription,
  showSubscription,
} from '@/api/bus'
import { listEvents } from '@/api/calls'
import { readBack } from '@/api/eventsBack'
import { useText } from '@/i18n'
import { useAct } from '@/lib/act'
import { isOfDelivery } from '@/lib/events'
import { useFresh } from '@/lib/fresh'
import { moves } from '@/lib/subscriptions'

export type Asks = '' | 'pause' | 'seek' | 'delete'

export function useSubscription(name: Ref<string>) {
  const { t } = useText()
  const router = useRouter()
  const { value, error, again } = useFresh(name, (signal) => showSubscription(name.value, signal), { moves })
  const letters = useFresh(name, (signal) => listDeadLetters(name.value, signal), { heeds: isOfDelivery })
  const act = useAct()
  const confirming = ref<Asks>('')
  const noEvent = ref('')

  async function change(what: string, call: () => Promise<unknown>): Promise<void> {
    if (!(await act.ask(what, call))) return
    confirming.value = ''
    await again()
  }
  // Of a handler of the platform others depend; one's own is paused with one click.
  function pause(): void {
    if (value.value?.kind === 'handler' && confirming.value !== 'pause') confirming.value = 'pause'
    else void change('pause', () => pauseSubscription(name.value))
  }
  const resume = () => change('resume', () => resumeSubscription(name.value))
  const seek = (to: string) => change('seek', () => seekSubscription(name.value, to))
  async function remove(): Promise<void> {
    if (await act.ask('delete', () => deleteSubscription(name.value))) await router.push({ name: 'subscriptions' })
  }

  // What was last said of it, with its causes: who paused it, since when it stalls.
  async function why(): Promise<void> {
    noEvent.value = ''
    await act.ask('why', async () => {
      const filter = `subject = '${name.value}' AND type LIKE 'dev.cdeventsx.headrace-subscription.%'`
      const { events } = await readBack(null, 1, (from) => listEvents({ filter, order: 'newest', from, limit: 1 }))
      if (events[0]) await router.push({ name: 'event', params: { id: events[0].id } })
      else noEvent.value = t('subscriptions.noEvent')
    })
  }
  const held = computed(() => value.value?.held ?? [])
  return { value, error, again, letters, act, confirming, noEvent, held, pause, resume, seek, remove, why }
}
