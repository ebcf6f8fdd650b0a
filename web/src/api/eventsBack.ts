// Events newest first. The API lists them oldest first and looks at 10,000 for one answer, so they are read by windows
// of offsets, from the end of the log backwards, each window wholly.
import type { EventPage, PlatformEvent } from './types'

export interface Piece {
  events: PlatformEvent[] // newest first
  next: number // where to go on, downwards; 0: the beginning was reached
}

type ReadWindow = (from: number, to: number, limit: number) => Promise<EventPage>

const limit = 1_000
const windowsAtOnce = 20

export async function readBack(from: number, wanted: number, filtered: boolean, read: ReadWindow): Promise<Piece> {
  const size = filtered ? 5_000 : wanted
  const events: PlatformEvent[] = []
  let upTo = from
  for (let turn = 0; turn < windowsAtOnce && upTo >= 1 && events.length < wanted; turn++) {
    const first = Math.max(1, upTo - size + 1)
    events.push(...(await readWhole(first, upTo, read)).reverse())
    upTo = first - 1
  }
  return { events, next: upTo }
}

async function readWhole(from: number, to: number, read: ReadWindow): Promise<PlatformEvent[]> {
  const events: PlatformEvent[] = []
  let at: number | null = from
  while (at !== null && at <= to) {
    const page: EventPage = await read(at, to, limit)
    events.push(...page.events)
    at = page.next
  }
  return events
}
