// The keyboard map. Letters never fire where somebody writes, and can be switched off; a later binding of the same keys
// (that of the page) goes before an earlier one (that of the frame).
import { onScopeDispose, shallowReactive } from 'vue'
import { usePreferences } from '@/stores/preferences'

export interface Binding {
  keys: string // "Ctrl+k", "/", "g r" (one after the other)
  label: string // key of its text, in frame.keys
  run(event: KeyboardEvent): unknown // false: there was nothing to do, and the browser has the key
}

export const bindings = shallowReactive<Binding[]>([])

const sequenceWithin = 1_000
let begun = ''
let begunAt = 0

export function nameOf(event: KeyboardEvent): string {
  const command = event.ctrlKey || event.metaKey ? 'Ctrl+' : ''
  const shifted = event.shiftKey && event.key.length > 1 ? 'Shift+' : ''
  const key = event.key === ' ' ? 'Space' : event.key
  return command + shifted + (command ? key.toLowerCase() : key)
}

export function isWriting(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  return target.isContentEditable || ['TEXTAREA', 'SELECT'].includes(target.tagName) || isTextInput(target)
}

function isTextInput(target: HTMLElement): boolean {
  return target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'submit'].includes(target.type)
}

export function isInOverlay(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('dialog, [role="menu"], [role="dialog"]') !== null
}

function find(keys: string): Binding | undefined {
  return [...bindings].reverse().find((binding) => binding.keys === keys)
}

export function heard(event: KeyboardEvent, lettersOn: boolean): boolean {
  if (event.isComposing || event.defaultPrevented || event.altKey) return false
  const name = nameOf(event)
  const command = name.startsWith('Ctrl+')
  if (!command && (!lettersOn || isWriting(event.target) || isInOverlay(event.target))) return false
  const pair = performance.now() - begunAt < sequenceWithin ? `${begun} ${name}` : ''
  const binding = (pair ? find(pair) : undefined) ?? find(name)
  begun = bindings.some((one) => one.keys.startsWith(`${name} `)) ? name : ''
  begunAt = performance.now()
  if (!binding || binding.run(event) === false) return false
  event.preventDefault()
  return true
}

export function listenToKeys(): void {
  const preferences = usePreferences()
  const listener = (event: KeyboardEvent) => void heard(event, preferences.letterKeys)
  addEventListener('keydown', listener)
  onScopeDispose(() => removeEventListener('keydown', listener))
}

export function useKeys(mine: Binding[]): void {
  bindings.push(...mine)
  onScopeDispose(() => {
    for (const binding of mine) bindings.splice(bindings.indexOf(binding), 1)
  })
}
