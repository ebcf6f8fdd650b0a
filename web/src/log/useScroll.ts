// Which rows of a log are in sight. Following is the place of the scroll bar: at the end it follows, one notch up it
// does not, and there is no other mode to forget.
import { computed, nextTick, onMounted, onScopeDispose, ref, watch, type Ref } from 'vue'
import { usePreferences } from '@/stores/preferences'
import type { LogBuffer } from './buffer'
import type { Layout, Row } from './layout'
import { scrollTopOf, sightOf } from './window'

export function useScroll(view: Ref<HTMLElement | null>, layout: Ref<Layout>, buffer: Ref<LogBuffer>) {
  const preferences = usePreferences()
  const rowHeight = computed(() => preferences.lineHeight)
  const scrollTop = ref(0)
  const height = ref(600)
  const following = ref(false)
  let placed = 0 // the scroll place that following led to
  const seen = ref(0) // lines that were there when following stopped

  const sight = computed(() => sightOf(layout.value.rows, rowHeight.value, scrollTop.value, height.value))
  const rows = computed(() =>
    Array.from({ length: sight.value.count }, (_, index) => layout.value.at(sight.value.first + index)).filter(
      (row): row is Row => row !== undefined,
    ),
  )
  const topRow = computed(() => sight.value.first + Math.floor((scrollTop.value - sight.value.top) / rowHeight.value))
  // The step whose head stands at the top, its own having gone out of sight; -1: none.
  const stuck = computed(() => {
    const row = layout.value.at(topRow.value)
    return !row || row.kind === 'step' ? -1 : layout.value.headAbove(topRow.value)
  })
  const news = computed(() => (following.value ? 0 : buffer.value.count - seen.value))

  function scrolled(): void {
    if (!view.value) return
    scrollTop.value = view.value.scrollTop
    const atEnd = view.value.scrollTop + view.value.clientHeight >= view.value.scrollHeight - 4
    // A log that grows faster than it is painted is longer by now than where it was followed to: nobody scrolled up.
    const left = scrollTop.value < placed - 4
    if (following.value && !atEnd && left) seen.value = buffer.value.count
    following.value = atEnd || (following.value && !left)
  }
  function toEnd(): void {
    following.value = true
    void nextTick(() => {
      if (!view.value) return
      view.value.scrollTop = view.value.scrollHeight
      placed = view.value.scrollTop
    })
  }
  function toRow(row: number, above = Math.floor(height.value / rowHeight.value / 3)): void {
    following.value = false
    seen.value = buffer.value.count
    void nextTick(() => {
      if (!view.value) return
      view.value.scrollTop = scrollTopOf(layout.value.rows, rowHeight.value, Math.max(0, row - above), height.value)
      scrollTop.value = view.value.scrollTop
    })
  }
  const isInSight = (row: number) => row > topRow.value && row < topRow.value + height.value / rowHeight.value - 1

  const sized = new ResizeObserver(([entry]) => (height.value = entry!.contentRect.height))
  onMounted(() => view.value && sized.observe(view.value))
  onScopeDispose(() => sized.disconnect())
  return { sight, rows, stuck, news, following, scrolled, toEnd, toRow, isInSight }
}

// A log that grows takes along who stands at its end.
export function useFollowing(
  grows: () => boolean,
  layout: Ref<Layout>,
  following: Ref<boolean>,
  toEnd: () => void,
): void {
  watch(
    () => layout.value.rows,
    () => following.value && grows() && toEnd(),
  )
}
