// The time of the server, a second at a time. One clock moves every age and duration of a page.
import { defineStore } from 'pinia'
import { ref } from 'vue'

const tolerance = 2_000 // the server tells whole seconds, and the answer took its time

export const useClock = defineStore('clock', () => {
  const skew = ref(0)
  const now = ref(new Date())

  function tick(): void {
    now.value = new Date(Date.now() + skew.value)
  }
  function told(header: string | null): void {
    const told = header ? Date.parse(header) : NaN
    if (Number.isNaN(told)) return
    const apart = told - Date.now()
    if (Math.abs(apart - skew.value) > tolerance) skew.value = Math.abs(apart) > tolerance ? apart : 0
  }
  setInterval(tick, 1000)
  return { now, told, tick }
})
