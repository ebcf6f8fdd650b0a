// A repository as its pages have it: what it is, where its branches and tags stand, and how its default branch is.
// What was read stays under a reader: where a branch that is shown has moved, a bar says so.
import {
  computed,
  inject,
  onScopeDispose,
  provide,
  ref,
  shallowRef,
  watch,
  watchEffect,
  type ComputedRef,
  type InjectionKey,
  type Ref,
} from 'vue'
import { useRoute, type RouteLocationNamedRaw } from 'vue-router'
import { listFolder, listRefs, showRepository, type Entry } from '@/api/source'
import type { ApiError } from '@/api/client'
import type { Repository, Run } from '@/api/types'
import { contentOf, shortType } from '@/lib/events'
import { useLoading } from '@/lib/loading'
import { useMoment } from '@/lib/moment'
import { useRunsList } from '@/lib/runsList'
import { useConnection } from '@/stores/connection'
import { Refs, type Place } from './refs'

export type PlaceName = 'tree' | 'blob' | 'commits'

export interface RepositoryPage {
  name: ComputedRef<string>
  repository: ComputedRef<Repository | undefined>
  refs: ComputedRef<Refs | undefined>
  place: ComputedRef<Place | undefined> // that the address names; without one the default branch
  error: Ref<ApiError | undefined>
  runs: ComputedRef<Run[]> // of the default branch, newest first
  heading: Ref<string> // of the page within; empty: the repository's name
  moved: Ref<boolean> // refs have moved since what is shown
  rootAhead(commit: string): Promise<Entry[] | undefined> // its entries, where they were asked for ahead
  again(): Promise<void>
  showMoved(): void
  to(name: PlaceName, word: string, path?: string): RouteLocationNamedRaw
  toCommit(id: string): RouteLocationNamedRaw
  toPage(name: 'repository' | 'branches' | 'tags'): RouteLocationNamedRaw
}

const key: InjectionKey<RepositoryPage> = Symbol('repository')
const soon = 60 // ms: several events at once are one look

export const restOf = (rest: unknown): string[] =>
  (Array.isArray(rest) ? rest : [rest]).map((word) => String(word ?? '')).filter(Boolean)

export function provideRepository(): RepositoryPage {
  const route = useRoute()
  const { at, link } = useMoment()
  const owner = computed(() => String(route.params.owner))
  const repo = computed(() => String(route.params.repo))
  const name = computed(() => `${owner.value}/${repo.value}`)
  const moved = ref(false)
  const heading = ref('')
  const shown = shallowRef<Refs>()

  const home = useLoading(
    () => JSON.stringify([name.value, at.value]),
    async (signal) => {
      const [repository, { refs }] = await Promise.all([
        showRepository(name.value, at.value, signal),
        listRefs(name.value, false, at.value, signal),
      ])
      return { repository, refs: new Refs(refs) }
    },
  )
  const repository = computed(() => home.value.value?.repository)
  // The root is what is looked at first; which commit it is of, the answer says.
  const root =
    route.name === 'repository' && at.value === undefined
      ? { of: name.value, folder: listFolder(name.value, 'HEAD', '', false).catch(() => undefined) }
      : undefined

  const rest = computed(() => restOf(route.params.rest))
  const placeIn = (refs: Refs | undefined): Place | undefined => {
    if (!refs) return undefined
    if (rest.value.length && route.name !== 'commit') return refs.place(rest.value)
    const known = refs.branch(repository.value?.default_branch ?? '')
    return known && { kind: 'branch', name: known.name, word: known.word, commit: known.row.commit, path: '' }
  }
  const place = computed(() => placeIn(shown.value))

  // What is nowhere in sight may change; an empty repository shows its first push by itself.
  const lists = computed(() => route.name === 'branches' || route.name === 'tags')
  function take(): void {
    shown.value = home.value.value?.refs
    moved.value = false
  }
  watch(home.value, (now, before) => {
    const [here, there] = [placeIn(shown.value), placeIn(now?.refs)]
    const settled = now === undefined || before === undefined || !shown.value || shown.value.none
    const outOfSight = !lists.value && here !== undefined && here.commit === there?.commit
    if (settled || outOfSight) take()
    else moved.value = true
  })
  watch([name, at], () => (shown.value = undefined), { flush: 'sync' })
  watch(() => route.path, take) // who goes on sees what is

  let timer: ReturnType<typeof setTimeout> | undefined
  function look(): void {
    timer ??= setTimeout(() => ((timer = undefined), void home.again()), soon)
  }
  const deaf = useConnection().listen((event) => {
    if (at.value !== undefined || shortType(event.type) !== 'ref.updated') return
    if (contentOf(event).repository === name.value) look()
  })
  onScopeDispose(() => {
    deaf()
    clearTimeout(timer)
  })

  const filterText = computed(() =>
    JSON.stringify({ repo: name.value, branch: repository.value?.default_branch ?? 'main' }),
  )
  const filter = computed(() => JSON.parse(filterText.value) as { repo: string; branch: string })
  const { list } = useRunsList(filter, at)
  const runs = computed(() => [...list.value.arrivals, ...list.value.rows])

  async function rootOf(commit: string): Promise<Entry[] | undefined> {
    const folder = root?.of === name.value ? await root.folder : undefined
    return folder?.commit === commit ? folder.entries : undefined
  }

  const params = computed(() => ({ owner: owner.value, repo: repo.value }))
  const page: RepositoryPage = {
    name,
    repository,
    refs: computed(() => shown.value),
    place,
    error: home.error,
    runs,
    heading,
    moved,
    rootAhead: rootOf,
    again: home.again,
    showMoved: take,
    to(name, word, path = '') {
      if (name === 'tree' && !path && word === repository.value?.default_branch) return page.toPage('repository')
      const rest = [...word.split('/'), ...path.split('/').filter(Boolean)]
      return link({ name, params: { ...params.value, rest } })
    },
    toCommit: (id) => link({ name: 'commit', params: { ...params.value, sha: id } }),
    toPage: (name) => link({ name, params: params.value }),
  }
  provide(key, page)
  return page
}

export function useRepository(): RepositoryPage {
  const page = inject(key)
  if (!page) throw new Error('This view stands within the pages of a repository.')
  return page
}

// The title of a page within, for as long as it is there.
export function useHeading(heading: () => string): void {
  const page = useRepository()
  watchEffect(() => (page.heading.value = heading()))
  onScopeDispose(() => (page.heading.value = ''))
}
