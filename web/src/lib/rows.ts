// Walking a list of links by keys: j and k, and from there the browser's own Enter.
import type { Ref } from 'vue'
import { useKeys } from './keys'

export function useRowKeys(list: Ref<HTMLElement | null>, selector: string): void {
  function step(by: number): void {
    const links = [...(list.value?.querySelectorAll<HTMLElement>(selector) ?? [])]
    const here = links.indexOf(document.activeElement as HTMLElement)
    const next = links[here < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, here + by))]
    next?.focus()
    next?.scrollIntoView({ block: 'nearest' })
  }
  useKeys([
    { keys: 'j', label: 'frame.keys.next', run: () => step(1) },
    { keys: 'k', label: 'frame.keys.previous', run: () => step(-1) },
  ])
}
