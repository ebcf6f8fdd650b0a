// Events newest first. For one answer the server looks at 10,000 of the log, so rare ones are looked for in several.
import { listEvents, type Moment } from './calls'
import type { EventPage, PlatformEvent } from './types'

export interface Piece {
  events: PlatformEvent[] // newest first
  next: number | null // where to go on, downwards; null: the beginning was reached
  first: EventPage // as it was answered
}

const looksAtOnce = 10

// From the offset `from` (null: the newest) downwards, until at least `wanted` were found or it was looked often enough.
export async function readBack(
  from: number | null,
  wanted: number,
  read: (from: number | null) => Promise<EventPage>,
): Promise<Piece> {
  const first = await read(from)
  let { events, next } = first
  for (let look = 1; look < looksAtOnce && next !== null && events.length < wanted; look++) {
    const page = await read(next)
    events = [...events, ...page.events]
    next = page.next
  }
  return { events, next, first }
}

// The newest at a moment. Nothing where there was none yet.
export const newestAt = async (at: Moment, signal?: AbortSignal): Promise<PlatformEvent | undefined> =>
  (await listEvents({ order: 'newest', limit: 1, at }, signal)).events[0]

// The event before (-1) or after (1) an offset; offsets have holes.
export const besides = async (offset: number, by: -1 | 1): Promise<PlatformEvent | undefined> =>
  by === -1 && offset <= 1
    ? undefined
    : (await listEvents({ order: by < 0 ? 'newest' : 'oldest', from: offset + by, limit: 1 })).events[0]
