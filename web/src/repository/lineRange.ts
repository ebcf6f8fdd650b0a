// Lines that an address names: #L10, #L10-L20.
export interface LineRange {
  from: number
  to: number
}

export function rangeOf(hash: string): LineRange | undefined {
  const found = /^#L(\d{1,9})(?:-L?(\d{1,9}))?$/.exec(hash)
  if (!found) return undefined
  const [one, other] = [Number(found[1]), Number(found[2] ?? found[1])]
  return one > 0 && other > 0 ? { from: Math.min(one, other), to: Math.max(one, other) } : undefined
}

export const hashOf = ({ from, to }: LineRange): string => (from === to ? `#L${from}` : `#L${from}-L${to}`)

// What Shift-click on `line` makes of what was marked: from there to here.
export const extended = (before: LineRange | undefined, line: number): LineRange =>
  before ? { from: Math.min(before.from, line), to: Math.max(before.from, line) } : { from: line, to: line }

// "10", "10-20", as one types it.
export const typedRange = (text: string): LineRange | undefined =>
  rangeOf(`#L${text.trim().replace(/\s*[-–:]\s*/, '-')}`)
