// Calls when an element comes near to what is seen, as often as it does.
import { onScopeDispose, watch, type Ref } from 'vue'

const ahead = '1600px' // some fifty rows

export function useSeen(element: Ref<HTMLElement | null>, near: () => void): void {
  if (typeof IntersectionObserver === 'undefined') return
  const observer = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && near(), {
    rootMargin: ahead,
  })
  watch(
    element,
    (now, before) => {
      if (before) observer.unobserve(before)
      if (now) observer.observe(now)
    },
    { immediate: true },
  )
  onScopeDispose(() => observer.disconnect())
}
