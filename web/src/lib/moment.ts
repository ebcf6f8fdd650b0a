// The moment that a page shows: `?at=` of its address, an offset or a time; without it, now.
import { computed } from 'vue'
import { useRoute, useRouter, type RouteLocationNamedRaw, type LocationQuery } from 'vue-router'

export function momentOf(query: LocationQuery): string | undefined {
  const at = query.at
  return typeof at === 'string' && at !== '' ? at : undefined
}

export function useMoment() {
  const route = useRoute()
  const router = useRouter()
  const at = computed(() => momentOf(route.query))
  const past = computed(() => at.value !== undefined)

  // A link within the pages; the moment stays.
  function link(to: RouteLocationNamedRaw): RouteLocationNamedRaw {
    return at.value === undefined ? to : { ...to, query: { ...to.query, at: at.value } }
  }
  function go(to: string | undefined): Promise<unknown> {
    const { at: _, ...rest } = route.query
    return router.push({ query: to === undefined ? rest : { ...rest, at: to }, hash: route.hash })
  }
  return { at, past, link, go }
}
