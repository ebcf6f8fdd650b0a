// The text of a job's log as it came, with an index of its lines. Lines are decoded only when they are looked at, so
// that 200,000 of them cost little more than their bytes. The format is docs/job-log.md.
import { ansiAfter, plain, type AnsiState } from './ansi'

export type MarkKind = 'group' | 'endgroup' | 'error'

export interface Mark {
  line: number
  kind: MarkKind
}

export interface Line {
  time: string
  step: number
  text: string
}

export const bytesMost = 64 * 1024 * 1024 // a page holds no more of a log; all of it is in the plain text

const feed = 10
const escape = 27
const hash = 35
const stepAt = 28 // after the time and a space
const decoder = new TextDecoder()
const marker = /^##\[(group|endgroup|error)\]/

export class LogBuffer {
  before = 0 // lines of the log before those that are held
  from = 0 // byte of the log that is the first here
  count = 0 // whole lines
  length = 0 // bytes
  full = false // more has come than is held
  readonly marks: Mark[] = []
  private bytes = new Uint8Array(64 * 1024)
  private held = this.bytes.subarray(0, 0) // of them those that have come
  private starts = new Uint32Array(1024)
  private steps = new Uint16Array(1024)
  private styles: { line: number; state: AnsiState }[] = [] // what holds from a line on, where it changes

  // Before anything is held: where in the log it begins.
  begin(byte: number, line: number): void {
    this.from = byte
    this.before = line - 1
  }

  // Byte of the log to go on at.
  get next(): number {
    return this.from + this.length
  }

  add(piece: Uint8Array): void {
    const room = bytesMost - this.length
    if (piece.length > room) {
      this.full = true
      piece = piece.subarray(0, room)
    }
    this.reserve(this.length + piece.length)
    this.bytes.set(piece, this.length)
    const scanFrom = this.length
    this.length += piece.length
    this.held = this.bytes.subarray(0, this.length)
    this.index(scanFrom)
  }

  stepOf(line: number): number {
    return this.steps[line] ?? 0
  }

  line(line: number): Line {
    const start = this.starts[line]!
    const time = ascii(this.held, start, start + stepAt - 1)
    return {
      time,
      step: this.stepOf(line),
      text: decoder.decode(this.held.subarray(this.textStart(line), this.end(line))),
    }
  }

  // Of a line its text alone, as a reader sees it: progress resolved, without colours.
  plain(line: number): string {
    return plain(decoder.decode(this.held.subarray(this.textStart(line), this.end(line))))
  }

  // The colours that a line begins with.
  styleAt(line: number): AnsiState | undefined {
    let [low, high] = [0, this.styles.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.styles[middle]!.line <= line) low = middle + 1
      else high = middle
    }
    return this.styles[low - 1]?.state
  }

  private index(from: number): void {
    const bytes = this.held
    let escapeAt = bytes.indexOf(escape, this.lineStart())
    for (let end = bytes.indexOf(feed, from); end >= 0; end = bytes.indexOf(feed, end + 1)) {
      const line = this.count
      const start = this.lineStart()
      this.reserveLine(line + 2)
      this.starts[line] = start
      this.starts[line + 1] = end + 1
      this.steps[line] = this.readStep(start)
      this.count = line + 1
      const textStart = this.textStart(line)
      if (bytes[textStart] === hash) this.mark(line, textStart, end)
      if (escapeAt >= 0 && escapeAt < start) escapeAt = bytes.indexOf(escape, start)
      this.style(line, escapeAt >= 0 && escapeAt < end)
    }
  }

  private mark(line: number, start: number, end: number): void {
    const found = marker.exec(ascii(this.held, start, Math.min(end, start + 12)))
    if (found) this.marks.push({ line, kind: found[1] as MarkKind })
  }

  // Colours that a line leaves on hold for the next ones of its step.
  private style(line: number, coloured: boolean): void {
    const before = this.styles.at(-1)?.state
    const newStep = line > 0 && this.steps[line] !== this.steps[line - 1]
    if (before && newStep) this.styles.push({ line, state: undefined })
    if (!coloured) return
    const after = ansiAfter(this.line(line).text, newStep ? undefined : before)
    if (JSON.stringify(after) !== JSON.stringify(newStep ? undefined : before))
      this.styles.push({ line: line + 1, state: after })
  }

  private lineStart(): number {
    return this.count === 0 ? 0 : this.starts[this.count]!
  }
  private end(line: number): number {
    return this.starts[line + 1]! - 1
  }
  private textStart(line: number): number {
    const start = this.starts[line]! + stepAt
    const end = this.end(line)
    let at = start
    while (at < end && this.held[at] !== 32) at++
    return Math.min(at + 1, end)
  }
  private readStep(start: number): number {
    let step = 0
    for (let at = start + stepAt; this.held[at]! >= 48 && this.held[at]! <= 57; at++)
      step = step * 10 + this.held[at]! - 48
    return step
  }
  private reserve(length: number): void {
    if (length <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(length, Math.min(2 * this.bytes.length, bytesMost)))
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
  }
  private reserveLine(lines: number): void {
    if (lines <= this.starts.length) return
    const starts = new Uint32Array(2 * this.starts.length)
    starts.set(this.starts)
    this.starts = starts
    const steps = new Uint16Array(2 * this.steps.length)
    steps.set(this.steps)
    this.steps = steps
  }
}

function ascii(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to))
}
