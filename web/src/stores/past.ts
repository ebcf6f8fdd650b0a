// The moment that the pages show, as the log has it: `?at=` looked up.
import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import { newestAt } from '@/api/eventsBack'

export interface Moment {
  offset: number
  time: Date
}
export interface Past {
  at: string
  moment: Moment | null // null: before the first event
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
      const event = await newestAt(at, signal)
      const moment = event ? { offset: event.offset, time: new Date(event.time) } : null
      if (!signal.aborted) found.value = { at, moment }
    } catch {
      // The banner names what was asked for.
    }
  }
  return { found, moment: computed(() => found.value?.moment ?? undefined), look }
})
