// The repositories that one may see, for the sections, filters and the palette alike.
import { defineStore } from 'pinia'
import { watch } from 'vue'
import { listRepositories } from '@/api/calls'
import { shortType } from '@/lib/events'
import { useLoading } from '@/lib/loading'
import { useMoment } from '@/lib/moment'
import { useConnection } from './connection'

export const useRepositories = defineStore('repositories', () => {
  const { at } = useMoment()
  const connection = useConnection()
  const {
    value: list,
    error,
    again,
  } = useLoading(at, async (signal) => (await listRepositories(at.value, signal)).repositories)

  connection.listen((event) => {
    if (/^repository\./.test(shortType(event.type))) void again()
  })
  watch(
    () => connection.state,
    (state) => state === 'live' && error.value && void again(),
  )
  return { list, error, again }
})
