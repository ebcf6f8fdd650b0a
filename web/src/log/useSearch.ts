// What is searched for in a log, the match at hand, and where the matches (without a search: the errors) stand beside the
// scroll bar.
import { computed, onScopeDispose, ref, shallowRef, watch, type Ref } from 'vue'
import type { LogBuffer } from './buffer'
import { find, type Found } from './find'
import type { Layout } from './layout'

const ticksMost = 300
const linesLookedAt = 5_000

export function useSearch(
  buffer: Ref<LogBuffer>,
  begun: Ref<number>,
  loaded: Ref<boolean>,
  layout: Ref<Layout>,
  show: (line: number) => void,
) {
  const wanted = ref('')
  const found = shallowRef<Found>({ lines: [], done: true })
  const current = ref(-1)
  const errors = computed(() => buffer.value.marks.filter((mark) => mark.kind === 'error').map((mark) => mark.line))
  const lines = computed(() => (wanted.value ? found.value.lines : errors.value))
  const hit = computed(() => (wanted.value ? found.value.lines[current.value] : undefined))
  let searching = new AbortController()

  function take(now: Found): void {
    found.value = now
    if (current.value < 0 && now.lines.length) go(1)
  }
  watch([wanted, begun, loaded], () => {
    searching.abort()
    searching = new AbortController()
    current.value = -1
    found.value = { lines: [], done: true }
    if (wanted.value) void find(buffer.value, wanted.value, take, searching.signal)
  })
  function go(by: number): void {
    if (!lines.value.length) return
    current.value = (current.value + by + lines.value.length) % lines.value.length
    show(lines.value[current.value]!)
  }

  const ticks = computed(() => {
    const stepOf = (line: number) => buffer.value.stepOf(line)
    const placeOf = (line: number) =>
      Math.round((ticksMost * layout.value.rowOf(line, stepOf)) / (layout.value.rows || 1))
    const places = new Set(lines.value.slice(0, linesLookedAt).map(placeOf))
    return [...places].slice(0, ticksMost).map((place) => `${(100 * place) / ticksMost}%`)
  })
  onScopeDispose(() => searching.abort())
  return { wanted, found, current, errors, hit, ticks, go }
}
