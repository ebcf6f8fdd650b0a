import { describe, expect, it } from 'vitest'
import { Heard } from './heard'
import type { PlatformEvent } from './types'

const event = (offset: number) => ({ offset }) as PlatformEvent
const offsets = (events: PlatformEvent[]) => events.map((one) => one.offset)

describe('what is heard and what is read', () => {
  it('begins to hear after the least of what was shown, once something was', async () => {
    const heard = new Heard()
    const begun = heard.begin()
    heard.shown(9)
    heard.shown(7)
    expect(await begun).toBe(7)
  })

  it('finds the gap of an answer that was slower than the stream', async () => {
    const heard = new Heard()
    heard.shown(7)
    await heard.begin()
    expect([heard.shown(7), heard.shown(8), heard.shown(6)]).toEqual([true, true, false])
  })

  it('keeps what an answer under way may not show yet', async () => {
    const heard = new Heard()
    heard.shown(3)
    await heard.begin()
    for (const offset of [4, 6, 9]) heard.hear(event(offset))
    expect(offsets(heard.since(4))).toEqual([6, 9])
    expect(heard.since(9)).toEqual([])
    expect(heard.upTo).toBe(9)
  })

  it('keeps no more than it must, and knows from where on', async () => {
    const heard = new Heard()
    heard.shown(0)
    await heard.begin()
    for (let offset = 1; offset <= 1_500; offset++) heard.hear(event(offset))
    expect([heard.shown(499), heard.shown(500)]).toEqual([false, true])
    expect(offsets(heard.since(500))).toHaveLength(1_000)
  })

  it('goes on where it was when the stream begins again', async () => {
    const heard = new Heard()
    heard.shown(2)
    expect(await heard.begin()).toBe(2)
    heard.hear(event(5))
    heard.shown(5)
    expect(await heard.begin()).toBe(2)
    expect(offsets(heard.since(2))).toEqual([5])
  })

  it('knows what a command of its own told', () => {
    const heard = new Heard()
    heard.told(12)
    heard.told(11)
    expect(heard.upTo).toBe(12)
  })
})
