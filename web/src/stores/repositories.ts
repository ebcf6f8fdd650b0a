// The repositories that one may see, with how their default branches are: for the sections, filters and the palette.
import { defineStore } from 'pinia'
import { computed, watch } from 'vue'
import { listRepositories } from '@/api/calls'
import { customOf, shortType } from '@/lib/events'
import { useLoading } from '@/lib/loading'
import { useMoment } from '@/lib/moment'
import { healthOf } from '@/repository/health'
import type { Shown } from '@/status/status'
import { useConnection } from './connection'

const soon = 1_000 // ms: what happens meanwhile is one look

export const useRepositories = defineStore('repositories', () => {
  const { at } = useMoment()
  const connection = useConnection()
  const {
    value: list,
    error,
    again,
  } = useLoading(at, async (signal) => (await listRepositories(at.value, signal)).repositories)

  const states = computed(() => {
    const found = new Map<string, Shown>()
    for (const { full_name: name, runs } of list.value ?? []) {
      const health = runs?.[0] && healthOf(runs, runs[0].commit)
      if (health) found.set(name, health.shown)
    }
    return found
  })

  let timer: ReturnType<typeof setTimeout> | undefined
  connection.listen((event) => {
    const type = shortType(event.type)
    if (/^repository\./.test(type)) return void again()
    if (timer || !/^pipelinerun\./.test(type) || !isListed(customOf(event).repository)) return
    timer = setTimeout(() => {
      timer = undefined
      if (at.value === undefined) void again()
    }, soon)
  })
  const isListed = (name: unknown) => list.value?.some((one) => one.full_name === name)
  watch(
    () => connection.state,
    (state) => state === 'live' && error.value && void again(),
  )
  return { list, states, error, again }
})
