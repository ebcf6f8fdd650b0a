// How far one has come with what there is to try (tries/tries.ts), kept by the browser.
import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch } from 'vue'
import { useRoute } from 'vue-router'
import { listRuns } from '@/api/calls'
import type { Run } from '@/api/types'
import { contentOf, customOf, shortType } from '@/lib/events'
import { useMoment } from '@/lib/moment'
import { demo, progress, tries, type Done } from '@/tries/tries'
import { useConnection } from './connection'
import { usePreferences } from './preferences'
import { useRepositories } from './repositories'

export const useTries = defineStore('tries', () => {
  const route = useRoute()
  const { past } = useMoment()
  const preferences = usePreferences()
  const repositories = useRepositories()
  const repository = computed(() => repositories.list?.find((one) => one.full_name === demo.repository))
  const runs = shallowRef<Run[]>([])
  const done = ref<Done>({ ...preferences.tried })
  const wanted = computed(() => repository.value !== undefined && !preferences.tryingFolded)
  const complete = computed(() => tries.every((one) => done.value[one]))

  // Whatever happens while it looks is one more look, not one each.
  let looking = false
  let again = false
  async function look(): Promise<void> {
    again = looking
    if (looking || complete.value) return
    looking = true
    const page = await listRuns({ repository: demo.repository }, null, 30, undefined).catch(() => undefined)
    looking = false
    if (page) runs.value = page.runs
    if (again) void look()
  }
  useConnection().listen((event) => {
    if (!wanted.value || !/^pipelinerun\.(?:queued|finished)$/.test(shortType(event.type))) return
    const of = customOf(event).repository ?? contentOf(event).repository
    if (of === undefined || of === demo.repository) void look()
  })
  watch(wanted, (now) => now && void look(), { immediate: true })
  watch(
    [runs, () => route.fullPath, wanted],
    () => {
      if (!wanted.value) return
      const seen = { page: String(route.name), run: String(route.params.run ?? ''), past: past.value }
      done.value = progress(done.value, runs.value, seen)
      preferences.tried = done.value
    },
    { immediate: true },
  )
  return { repository, done, wanted, complete }
})
