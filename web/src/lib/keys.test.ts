import { effectScope } from 'vue'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { heard, useKeys } from './keys'

const run = { k: vi.fn(), r: vi.fn(), slash: vi.fn() }
let scope = effectScope()

beforeEach(() => {
  scope = effectScope()
  scope.run(() =>
    useKeys([
      { keys: 'Ctrl+k', label: 'palette', run: run.k },
      { keys: 'g r', label: 'runs', run: run.r },
      { keys: '/', label: 'filter', run: run.slash },
    ]),
  )
})
afterEach(() => {
  scope.stop()
  vi.clearAllMocks()
  document.body.replaceChildren()
})

const press = (key: string, options: KeyboardEventInit = {}, target: HTMLElement = document.body, on = true) => {
  let taken = false
  target.addEventListener('keydown', (event) => (taken = heard(event, on)), { once: true })
  target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...options }))
  return taken
}

describe('keys', () => {
  it('are heard alone, with Ctrl, and one after the other', () => {
    expect(press('/')).toBe(true)
    expect(press('K', { ctrlKey: true })).toBe(true)
    expect(press('g')).toBe(false)
    expect(press('r')).toBe(true)
    expect(run.r).toHaveBeenCalledOnce()
    expect(press('r')).toBe(false)
  })

  it('are letters where somebody writes, but for those with Ctrl', () => {
    const input = document.body.appendChild(document.createElement('input'))
    expect(press('/', {}, input)).toBe(false)
    expect(press('k', { metaKey: true }, input)).toBe(true)
  })

  it('never fire while a character is composed', () => expect(press('/', { isComposing: true })).toBe(false))

  it('can be switched off', () => {
    expect(press('/', {}, document.body, false)).toBe(false)
    expect(press('k', { ctrlKey: true }, document.body, false)).toBe(true)
  })

  it('of a page go before those of the frame, and with the page', () => {
    const mine = vi.fn()
    const page = effectScope()
    page.run(() => useKeys([{ keys: '/', label: 'search', run: mine }]))
    press('/')
    page.stop()
    press('/')
    expect([mine.mock.calls.length, run.slash.mock.calls.length]).toEqual([1, 1])
  })
})
