import { describe, expect, it } from 'vitest'
import { readBack } from './eventsBack'
import type { PlatformEvent } from './types'

// A log of events 1 to `last`, of which those that `fits` are told, a page at a time.
const logOf = (last: number, fits: (offset: number) => boolean, page: number) => {
  const asked: [number, number][] = []
  const read = async (from: number, to: number) => {
    asked.push([from, to])
    const all = Array.from({ length: Math.max(0, Math.min(to, last) - from + 1) }, (_, n) => from + n).filter(fits)
    return { events: all.slice(0, page).map((offset) => ({ offset }) as PlatformEvent), next: all[page] ?? null }
  }
  return { asked, read }
}
const offsets = (events: PlatformEvent[]) => events.map((event) => event.offset)

describe('events newest first', () => {
  it('are the last ones, then those before, to the first', async () => {
    const { read } = logOf(250, () => true, 40)
    const first = await readBack(250, 100, false, read)
    expect(offsets(first.events)).toEqual(Array.from({ length: 100 }, (_, n) => 250 - n))
    const last = await readBack((await readBack(first.next, 100, false, read)).next, 100, false, read)
    expect(offsets(last.events)).toEqual(Array.from({ length: 50 }, (_, n) => 50 - n))
    expect(last.next).toBe(0)
  })
  it('that are rare are searched for in wider windows, and the search ends', async () => {
    const { read, asked } = logOf(1_000_000, (offset) => offset % 40_000 === 0, 100)
    const piece = await readBack(1_000_000, 100, true, read)
    expect(offsets(piece.events)).toEqual([1_000_000, 960_000, 920_000])
    expect(asked.length).toBe(20)
    expect(piece.next).toBe(900_000)
  })
  it('of an empty log are none', async () => {
    expect(await readBack(0, 100, false, logOf(0, () => true, 10).read)).toEqual({ events: [], next: 0 })
  })
})
