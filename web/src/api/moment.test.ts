import { describe, expect, it } from 'vitest'
import { resolveMoment } from './moment'
import type { PlatformEvent } from './types'

// Events 10 to 90, one a second from noon.
const noon = Date.parse('2026-11-23T12:00:00Z')
let asked = 0
const eventAt = async (offset: number) => {
  asked++
  const events =
    offset > 90 ? [] : [{ offset, time: new Date(noon + (offset - 10) * 1000).toISOString() } as PlatformEvent]
  return { events, next: null }
}
const resolve = (at: string) => resolveMoment(at, 10, 90, eventAt)

describe('a moment', () => {
  it('is the last event not after a time', async () => {
    expect((await resolve('2026-11-23T12:00:41.500Z'))?.offset).toBe(51)
    expect((await resolve('2026-11-23T12:00:41Z'))?.offset).toBe(51)
    asked = 0
    expect((await resolve('2027-01-01T00:00:00Z'))?.offset).toBe(90)
    expect(asked).toBeLessThan(9)
  })
  it('may be an offset', async () => {
    expect(await resolve('33')).toEqual({ offset: 33, time: new Date(noon + 23_000) })
    expect((await resolve('5000'))?.offset).toBe(90)
  })
  it('is none before the beginning, or where it cannot be read', async () => {
    expect(await resolve('2020-01-01T00:00:00Z')).toBeNull()
    expect(await resolve('yesterday')).toBeNull()
  })
})
