// What a person has to look at in the platform itself: counted by the server, read again when it says that it changed.
import { defineStore } from 'pinia'
import { computed, shallowRef, watch } from 'vue'
import { showStatus } from '@/api/calls'
import type { Status } from '@/api/types'
import { contentShown } from '@/lib/content'
import { shortType } from '@/lib/events'
import { useConnection } from './connection'
import { useSession } from './session'

const tells = /^(?:delivery\.|subscription\.)/
const soonAfter = 500

export const useHealth = defineStore('health', () => {
  const connection = useConnection()
  const status = shallowRef<Status>()
  let failed = false
  let timer: ReturnType<typeof setTimeout> | undefined

  async function again(): Promise<void> {
    timer = undefined
    try {
      status.value = await showStatus()
      failed = false
    } catch {
      failed = true
    }
  }
  const session = useSession()
  watch(
    () => session.account?.actor,
    (now, before) => before && now !== before && ((status.value = undefined), void again()),
  )
  void contentShown().then(again)
  watch(
    () => connection.state,
    (state, before) => state === 'live' && (before !== 'connecting' || failed) && void again(),
  )
  connection.listen((event) => {
    if (tells.test(shortType(event.type))) timer ??= setTimeout(() => void again(), soonAfter)
  })
  const deadLetters = computed(() => status.value?.bus?.dead_letters ?? 0)
  const stalled = computed(() => status.value?.bus?.stalled ?? 0)
  return { status, deadLetters, stalled, again }
})
