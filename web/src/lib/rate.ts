// Events a second over the last two minutes: what the server had counted when the page was opened, then what the stream
// tells. Where nothing was heard because there was no stream, there is a gap, not a zero.
export const secondsShown = 120

export type Second = number | null // null: nobody counted

export class Rate {
  private passed: Second[] = []
  private now = 0
  private counting = 0 // the second that is being counted, since 1970
  private upTo = 0 // offset that what was counted before holds

  // `until`: when the last of the server's seconds ended.
  begin(counts: readonly number[], until: number, durable: number, now: number): void {
    this.passed = counts.slice(-secondsShown)
    this.counting = Math.floor(until / 1000)
    this.now = 0
    this.upTo = durable
    // The seconds from there to now were counted by the server too, all but the last few milliseconds of them.
    if (now - until > 5_000) this.tick(now, false)
    else this.counting = Math.floor(now / 1000)
  }
  heard(offset: number): void {
    if (offset > this.upTo) this.now++
  }
  // Closes the seconds that are over. `live`: the stream told all of them.
  tick(now: number, live: boolean): void {
    const second = Math.floor(now / 1000)
    const over = second - this.counting
    for (let i = 0; i < Math.min(over, secondsShown); i++) this.passed.push(live ? (i === 0 ? this.now : 0) : null)
    if (over > 0) {
      this.now = 0
      this.counting = second
      this.passed = this.passed.slice(-secondsShown)
    }
  }
  get seconds(): readonly Second[] {
    return this.passed
  }
}

// Polylines of the stretches between gaps; x counts seconds, the newest at `secondsShown - 1`, y is the count.
export function stretches(seconds: readonly Second[]): [number, number][][] {
  const lines: [number, number][][] = []
  const left = secondsShown - seconds.length
  seconds.forEach((count, index) => {
    if (count === null) return
    if (index === 0 || seconds[index - 1] === null) lines.push([])
    lines.at(-1)!.push([left + index, count])
  })
  return lines
}

export function gaps(seconds: readonly Second[]): [number, number][] {
  const found: [number, number][] = []
  const left = secondsShown - seconds.length
  seconds.forEach((count, index) => {
    if (count !== null) return
    const last = found.at(-1)
    if (last && last[1] === left + index) last[1]++
    else found.push([left + index, left + index + 1])
  })
  return found
}

// 1, 2, 5, 10, 20, ...: the least of them that is not below.
export function roundUp(value: number): number {
  for (let unit = 1; ; unit *= 10) for (const step of [1, 2, 5]) if (unit * step >= value) return unit * step
}
