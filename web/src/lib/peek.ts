// A look at a row from within its list: Space shows it at the side and hides it again; j and k go on, and it follows.
import { onScopeDispose, ref, type Ref } from 'vue'
import { useKeys } from './keys'

// The row that is shown: `data-peek` of its link; nothing where none is.
export function usePeek(list: Ref<HTMLElement | null>): Ref<string | undefined> {
  const peeked = ref<string>()
  const rowOf = (target: EventTarget | null) =>
    target instanceof HTMLElement && list.value?.contains(target) ? target.dataset.peek : undefined

  function toggle(): boolean {
    const row = rowOf(document.activeElement)
    if (row === undefined) return false // Space scrolls, and presses what has the focus
    peeked.value = row === peeked.value ? undefined : row
    return true
  }
  function follow(event: FocusEvent): void {
    const row = rowOf(event.target)
    if (peeked.value !== undefined && row !== undefined) peeked.value = row
  }
  function hide(event: KeyboardEvent): void {
    if (event.key === 'Escape' && !event.defaultPrevented) peeked.value = undefined
  }
  useKeys([{ keys: 'Space', label: 'frame.keys.peek', run: toggle }])
  addEventListener('focusin', follow)
  addEventListener('keydown', hide)
  onScopeDispose(() => {
    removeEventListener('focusin', follow)
    removeEventListener('keydown', hide)
  })
  return peeked
}
