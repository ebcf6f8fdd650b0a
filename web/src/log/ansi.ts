// Colours in a log: ECMA-48's SGR sequences become spans, every other escape sequence goes, and what is left of control
// characters is shown as what it is.

import { visibleCode } from '@/lib/format'

export interface Style {
  foreground?: string | undefined // "0".."15" of the palette, or "#rrggbb"
  background?: string | undefined
  bold?: boolean
  dim?: boolean
  italic?: boolean
  underline?: boolean
  inverse?: boolean
}
export type AnsiState = Style | undefined // undefined: as nothing was said

export interface Span {
  text: string
  style: AnsiState
}

// CSI, OSC (ended by BEL or ST), and the two-character ones.
const sequence = /\x1b(?:\[([0-?]*)([ -/]*[@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_a-z])/g

// A carriage return writes over what stood before, as a terminal does: what is left is the last that was written.
export function resolved(text: string): string {
  if (!text.includes('\r')) return text
  return text.split('\r').filter(Boolean).at(-1) ?? ''
}

export const plain = (text: string): string => visibleCode(resolved(text).replace(sequence, ''))

export function ansiAfter(text: string, state: AnsiState): AnsiState {
  for (const [, parameters, final] of text.matchAll(sequence))
    if (final === 'm') state = changed(state, parameters ?? '')
  return state
}

export function spansOf(text: string, state: AnsiState): Span[] {
  const spans: Span[] = []
  const shown = resolved(text)
  let at = 0
  const put = (piece: string) => {
    if (piece) spans.push({ text: visibleCode(piece), style: state })
  }
  for (const match of shown.matchAll(sequence)) {
    put(shown.slice(at, match.index))
    at = match.index + match[0].length
    if (match[2] === 'm') state = changed(state, match[1] ?? '')
  }
  put(shown.slice(at))
  return spans
}

function changed(before: AnsiState, parameters: string): AnsiState {
  const style: Style = { ...before }
  const codes = parameters.split(/[;:]/).map(Number)
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at]!
    if (code === 0) for (const name of Object.keys(style) as (keyof Style)[]) delete style[name]
    else if (code === 38 || code === 48) {
      const [colour, used] = extended(codes, at + 1)
      at += used
      if (colour !== undefined) style[code === 38 ? 'foreground' : 'background'] = colour
    } else simple(style, code)
  }
  return Object.values(style).some(Boolean) ? style : undefined
}

function simple(style: Style, code: number): void {
  if (code === 1) style.bold = true
  else if (code === 2) style.dim = true
  else if (code === 3) style.italic = true
  else if (code === 4) style.underline = true
  else if (code === 7) style.inverse = true
  else if (code === 22) style.bold = style.dim = false
  else if (code === 23) style.italic = false
  else if (code === 24) style.underline = false
  else if (code === 27) style.inverse = false
  else if (code >= 30 && code <= 37) style.foreground = String(code - 30)
  else if (code === 39) style.foreground = undefined
  else if (code >= 40 && code <= 47) style.background = String(code - 40)
  else if (code === 49) style.background = undefined
  else if (code >= 90 && code <= 97) style.foreground = String(code - 82)
  else if (code >= 100 && code <= 107) style.background = String(code - 92)
}

// `5;N` of 256 colours, `2;R;G;B` of all; how many codes that took.
function extended(codes: number[], at: number): [string | undefined, number] {
  if (codes[at] === 2) {
    const rgb = codes.slice(at + 1, at + 4)
    return [rgb.length === 3 && rgb.every((part) => part >= 0 && part < 256) ? hex(rgb) : undefined, 4]
  }
  const number = codes[at] === 5 ? codes[at + 1] : undefined
  return [number === undefined || !(number >= 0 && number < 256) ? undefined : of256(number), codes[at] === 5 ? 2 : 1]
}

function of256(number: number): string {
  if (number < 16) return String(number)
  if (number >= 232) return hex([0, 0, 0].map(() => 8 + 10 * (number - 232)))
  const cube = number - 16
  return hex([Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map((part) => (part ? 55 + 40 * part : 0)))
}

const hex = (rgb: number[]): string => '#' + rgb.map((part) => part.toString(16).padStart(2, '0')).join('')
