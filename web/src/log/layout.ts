// Which rows a log has: heads of steps and of groups, and the lines between them that are not folded away. Rows are
// found by halves, so a fold costs as much as there are heads, not lines.
import type { Mark } from './buffer'

export interface Step {
  number: number
  open: boolean
}
export type Row =
  { kind: 'step'; step: number } | { kind: 'group'; line: number; open: boolean } | { kind: 'line'; line: number }

interface Segment {
  row: number // its first
  rows: number
  kind: Row['kind']
  at: number // number of the step, or first line
  open: boolean
}

export interface Reading {
  count: number
  marks: readonly Mark[]
  stepOf(line: number): number
}

// Whether what follows the first line of a group is shown; `next` is the mark that comes after it.
export type GroupOpen = (line: number, next: Mark | undefined) => boolean

export class Layout {
  rows = 0
  private readonly segments: Segment[] = []

  constructor(reading: Reading, steps: readonly Step[], groupOpen: GroupOpen) {
    let mark = 0
    for (const { step, from, to } of partsOf(reading, steps)) {
      this.push('step', step.number, 1, step.open)
      while (mark < reading.marks.length && reading.marks[mark]!.line < from) mark++
      if (step.open) mark = this.pushLines(reading, from, to, mark, groupOpen)
    }
  }

  at(row: number): Row | undefined {
    const segment = this.segments[this.find(row)]
    if (!segment || row >= segment.row + segment.rows) return undefined
    if (segment.kind === 'step') return { kind: 'step', step: segment.at }
    if (segment.kind === 'group') return { kind: 'group', line: segment.at, open: segment.open }
    return { kind: 'line', line: segment.at + row - segment.row }
  }

  // The row of a line; where it is folded away, that of the head above it.
  rowOf(line: number, stepOf: (line: number) => number): number {
    let best = 0
    for (const segment of this.segments) {
      if (segment.kind === 'step') {
        if (segment.at > stepOf(line)) break
        best = segment.row
      } else {
        if (segment.at > line) break
        best = segment.row + (segment.kind === 'line' ? Math.min(line - segment.at, segment.rows - 1) : 0)
      }
    }
    return best
  }

  rowOfStep(step: number): number {
    return this.segments.find((segment) => segment.kind === 'step' && segment.at === step)?.row ?? 0
  }

  isShown(line: number, stepOf: (line: number) => number): boolean {
    const row = this.at(this.rowOf(line, stepOf))
    return row !== undefined && row.kind !== 'step' && row.line === line
  }

  // The head that a row stands under, for it to stick.
  headAbove(row: number): number {
    for (let index = this.find(row); index >= 0; index--) {
      const segment = this.segments[index]
      if (segment?.kind === 'step') return segment.at
    }
    return -1
  }

  private pushLines(reading: Reading, from: number, to: number, mark: number, groupOpen: GroupOpen): number {
    let line = from
    let folded = false
    const until = (end: number) => {
      if (!folded && end > line) this.push('line', line, end - line, true)
      line = end
    }
    for (; mark < reading.marks.length && reading.marks[mark]!.line < to; mark++) {
      const { kind, line: at } = reading.marks[mark]!
      if (kind === 'error') continue
      until(at)
      if (kind === 'group') {
        folded = !groupOpen(at, reading.marks[mark + 1])
        this.push('group', at, 1, !folded)
      } else {
        folded = false
      }
      line = at + 1 // the mark itself is no line to read
    }
    until(to)
    return mark
  }

  private push(kind: Row['kind'], at: number, rows: number, open: boolean): void {
    this.segments.push({ row: this.rows, rows, kind, at, open })
    this.rows += rows
  }

  private find(row: number): number {
    let [low, high] = [0, this.segments.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.segments[middle]!.row <= row) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}

interface Part {
  step: Step
  from: number
  to: number
}

// Lines stand in the order of their steps; a step without lines has none between its ends.
function partsOf(reading: Reading, steps: readonly Step[]): Part[] {
  const parts: Part[] = []
  let from = 0
  for (const step of steps) {
    const to = firstAfter(reading, from, step.number)
    parts.push({ step, from, to })
    from = to
  }
  return parts
}

function firstAfter(reading: Reading, from: number, step: number): number {
  let [low, high] = [from, reading.count]
  while (low < high) {
    const middle = (low + high) >> 1
    if (reading.stepOf(middle) <= step) low = middle + 1
    else high = middle
  }
  return low
}
