// The moment that the pages show, as the log has it: `?at=` looked up.
import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import { listEvents, showStatus } from '@/api/calls'
import { resolveMoment, type Moment } from '@/api/moment'

export interface Past {
  at: string
  moment: Moment | null // null: before the first event
  first: number
  last: number
}

export const usePast = defineStore('past', () => {
  const found = shallowRef<Past>()
  let current = new AbortController()

  // Where it cannot be looked up (the right to read events is missing) the page still shows its moment.
  async function look(at: string | undefined): Promise<void> {
    current.abort()
    const { signal } = (current = new AbortController())
    found.value = undefined
    if (at === undefined) return
    try {
      const { log } = await showStatus(signal)
      const moment = await resolveMoment(at, log.first, log.durable, (offset) =>
        listEvents('', offset, 1, undefined, signal),
      )
      if (!signal.aborted) found.value = { at, moment, first: log.first, last: log.durable }
    } catch {
      // The banner names what was asked for.
    }
  }
  return { found, moment: computed(() => found.value?.moment ?? undefined), look }
})
