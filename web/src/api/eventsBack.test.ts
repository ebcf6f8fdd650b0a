import { describe, expect, it } from 'vitest'
import { readBack } from './eventsBack'
import type { PlatformEvent } from './types'

// A log of events 1 to `last`, of which those that `fits` are told; the server looks at `window` of them at once.
const logOf = (last: number, fits: (offset: number) => boolean, window: number) => {
  const asked: (number | null)[] = []
  const read = async (from: number | null) => {
    asked.push(from)
    const top = Math.min(from ?? last, last)
    const all = Array.from({ length: Math.min(window, top) }, (_, n) => top - n).filter(fits)
    return { events: all.map((offset) => ({ offset }) as PlatformEvent), next: top > window ? top - window : null }
  }
  return { asked, read }
}
const offsets = (events: PlatformEvent[]) => events.map((event) => event.offset)

describe('events newest first', () => {
  it('are the last ones, then those before, to the first', async () => {
    const { read } = logOf(250, () => true, 100)
    const first = await readBack(null, 100, read)
    expect(offsets(first.events)).toEqual(Array.from({ length: 100 }, (_, n) => 250 - n))
    const last = await readBack((await readBack(first.next, 100, read)).next, 100, read)
    expect(offsets(last.events)).toEqual(Array.from({ length: 50 }, (_, n) => 50 - n))
    expect(last.next).toBeNull()
  })
  it('that are rare are looked for several times, and the search ends', async () => {
    const { read, asked } = logOf(1_000_000, (offset) => offset % 40_000 === 0, 10_000)
    const piece = await readBack(null, 100, read)
    expect(offsets(piece.events)).toEqual([1_000_000, 960_000, 920_000])
    expect(asked).toHaveLength(10)
    expect(piece.next).toBe(900_000)
  })
  it('of an empty log are none', async () => {
    expect(await readBack(null, 100, logOf(0, () => true, 10).read)).toMatchObject({ events: [], next: null })
  })
})
