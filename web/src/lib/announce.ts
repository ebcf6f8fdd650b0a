// One polite line for who hears the page: the state of its subject, at most one message in five seconds.
import { ref } from 'vue'

export const announced = ref('')
const apart = 5_000
let last = -apart
let waiting: ReturnType<typeof setTimeout> | undefined

export function announce(text: string): void {
  clearTimeout(waiting)
  waiting = setTimeout(
    () => {
      last = performance.now()
      announced.value = text
    },
    Math.max(0, last + apart - performance.now()),
  )
}
