// What this page has heard of the log, and how far what it reads must show it, so that both join without a gap: an answer
// says up to which offset it shows all events, and what was heard beyond that is kept for a while to be applied to it.
import type { PlatformEvent } from './types'

const keptMost = 1_000 // events; an answer under way is rarely older

export class Heard {
  private kept: PlatformEvent[] = [] // in order
  private from: number | null = null // every event after this offset was heard and is kept; null: none is heard yet
  private least: number | null = null // that an answer has shown, while none is heard
  private newest = 0
  private waiting: (() => void)[] = []

  // The newest event that is known of: heard, or told by the answer to a command of ours.
  get upTo(): number {
    return this.newest
  }

  // A command's answer: it is told by events up to there.
  told(offset: number): void {
    this.newest = Math.max(this.newest, offset)
  }

  // A reading's answer. False: between what it shows and what is heard events are missing; ask again.
  shown(offset: number): boolean {
    if (this.from !== null) return offset >= this.from
    this.least = Math.min(this.least ?? offset, offset)
    for (const told of this.waiting.splice(0)) told()
    return true
  }

  // Where to begin to hear: after the least of what is shown, once an answer has told.
  async begin(): Promise<number> {
    if (this.from === null && this.least === null) await new Promise<void>((told) => this.waiting.push(told))
    return this.beginAfter(this.least ?? 0)
  }

  // Where no answer tells: what was said up to there is not heard.
  beginAfter(offset: number): number {
    this.from ??= offset
    return this.from
  }

  // What was heard is no use any more: another moment is shown, or somebody else looks.
  forget(): void {
    this.kept = []
    this.from = this.least = null
  }

  hear(event: PlatformEvent): void {
    this.newest = Math.max(this.newest, event.offset)
    this.kept.push(event)
    if (this.kept.length > keptMost) this.from = this.kept.shift()!.offset
  }

  // What was heard beyond what an answer shows.
  since(offset: number): PlatformEvent[] {
    return this.kept.filter((event) => event.offset > offset)
  }
}

// Of this page.
export const heard = new Heard()
