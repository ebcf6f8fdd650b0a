// The live rate of events, from the one stream of the page.
import { onScopeDispose, shallowRef, watch, type Ref } from 'vue'
import type { PlatformMeasures } from '@/api/platform'
import { Rate, type Second } from '@/lib/rate'
import { useClock } from '@/stores/clock'
import { useConnection } from '@/stores/connection'

export function useRate(measures: Ref<PlatformMeasures | undefined>) {
  const clock = useClock()
  const connection = useConnection()
  const rate = new Rate()
  const seconds = shallowRef<readonly Second[]>([])
  let begun = false
  let stale = false // seconds were missed: the server's own count tells them

  watch(
    measures,
    (told) => {
      if (!told || (begun && !stale)) return
      const { until, counts } = told.events_per_second
      const now = clock.now.getTime()
      rate.begin(counts, until ? Date.parse(until) : now, told.log.durable, now)
      begun = true
      stale = false
      seconds.value = [...rate.seconds]
    },
    { immediate: true },
  )
  const deaf = connection.listen((event) => rate.heard(event.offset))
  watch(
    () => clock.now,
    (now, before) => {
      if (!begun) return
      const live = connection.state === 'live'
      stale ||= !live || now.getTime() - before.getTime() > 5_000 // a hidden tab's clock goes slowly
      rate.tick(now.getTime(), live)
      if (!document.hidden) seconds.value = [...rate.seconds]
    },
  )
  onScopeDispose(deaf)
  return seconds
}
