// A moment as the log has it: its offset and its time. An offset is looked up; a time is searched by halves, since the
// log is in the order of its times.
import type { EventPage } from './types'

export interface Moment {
  offset: number
  time: Date
}

type EventAt = (offset: number) => Promise<EventPage>

export async function resolveMoment(at: string, first: number, last: number, eventAt: EventAt): Promise<Moment | null> {
  if (/^\d+$/.test(at)) return momentAt(Math.min(Number(at), last), eventAt)
  const wanted = Date.parse(at)
  if (Number.isNaN(wanted)) return null
  let found: Moment | null = null
  let [low, high] = [first, last]
  while (low <= high) {
    const middle = Math.floor((low + high) / 2)
    const here = await momentAt(middle, eventAt)
    if (here && here.time.getTime() <= wanted) {
      found = here
      low = Math.max(middle, here.offset) + 1
    } else {
      high = middle - 1
    }
  }
  return found
}

async function momentAt(offset: number, eventAt: EventAt): Promise<Moment | null> {
  const event = (await eventAt(offset)).events[0]
  return event ? { offset: event.offset, time: new Date(event.time) } : null
}
