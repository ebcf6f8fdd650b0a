// A look at a row from within its list: Space shows it at the side and hides it again; j and k go on, and it follows. Tab leads
// from the row into what is shown, Shift Tab back, Escape closes.
import { nextTick, onScopeDispose, ref, type Ref } from 'vue'
import { isInOverlay, isWriting, useKeys } from './keys'

export const peekId = 'peek' // of what is shown, which can have the focus

export function usePeek(list: Ref<HTMLElement | null>): { peeked: Ref<string | undefined>; close: () => void } {
  const peeked = ref<string>() // `data-peek` of the row's link
  let row: HTMLElement | undefined
  const rowOf = (target: EventTarget | null) =>
    target instanceof HTMLElement && target.dataset.peek !== undefined && list.value?.contains(target)
      ? target
      : undefined
  const shown = () => document.getElementById(peekId)

  function toggle(): boolean {
    const here = rowOf(document.activeElement)
    if (!here) return false // Space scrolls, and presses what has the focus
    row = here
    peeked.value = here.dataset.peek === peeked.value ? undefined : here.dataset.peek
    return true
  }
  function follow(event: FocusEvent): void {
    const here = rowOf(event.target)
    if (peeked.value === undefined || !here) return
    row = here
    peeked.value = here.dataset.peek
  }
  // Whoever had the focus in it, or nowhere by now, is back at the row.
  function close(): void {
    const within = document.activeElement === document.body || document.activeElement?.closest(`.${peekId}`)
    peeked.value = undefined
    if (within) void nextTick(() => row?.focus())
  }
  function keyed(event: KeyboardEvent): void {
    if (peeked.value === undefined || event.defaultPrevented) return
    if (event.key === 'Escape' && !isInOverlay(event.target) && !isWriting(event.target)) close()
    if (event.key !== 'Tab') return
    const to = event.shiftKey ? event.target === shown() && row : rowOf(event.target) === row && shown()
    if (!to) return
    event.preventDefault()
    to.focus()
  }
  useKeys([{ keys: 'Space', label: 'frame.keys.peek', run: toggle }])
  addEventListener('focusin', follow)
  addEventListener('keydown', keyed)
  onScopeDispose(() => {
    removeEventListener('focusin', follow)
    removeEventListener('keydown', keyed)
  })
  return { peeked, close }
}
