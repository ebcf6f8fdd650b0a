// Lets what is new in by itself only where nobody could lose their place: at the top of the page, with no pointer, focus
// or selection in it.
import { watch, type Ref } from 'vue'

export function useQuietly(count: Ref<number>, place: Ref<HTMLElement | null>, show: () => void): void {
  watch(count, (waiting) => {
    const here = place.value
    const quiet =
      scrollY === 0 &&
      !here?.matches(':hover') &&
      !here?.contains(document.activeElement) &&
      getSelection()?.isCollapsed !== false
    if (waiting && quiet && !document.hidden) show()
  })
}
