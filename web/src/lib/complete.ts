// What may follow in the typed filter of runs: names of filters, and after a name the values that are known.
import { filterNames, type FilterName } from './runFilter'

export interface Completion {
  shown: string
  text: string // the whole filter with it
  caret: number
}

export type Values = Record<FilterName, readonly string[]>

const most = 8

export function completionsOf(text: string, caret: number, values: Values): Completion[] {
  const start = text.slice(0, caret).search(/\S*$/)
  const word = text.slice(start, caret)
  const colon = word.indexOf(':')
  if (colon < 0) {
    const names = filterNames.filter((name) => name.startsWith(word) && !text.includes(`${name}:`))
    return word || !text.trim() ? names.map((name) => put(text, start, caret, `${name}:`, `${name}:`, '')) : []
  }
  const name = word.slice(0, colon) as FilterName
  if (!filterNames.includes(name)) return []
  const begun = word.slice(colon + 1).toLowerCase()
  const known = values[name].filter((value) => value.toLowerCase().includes(begun) && value.toLowerCase() !== begun)
  return known
    .slice(0, most)
    .map((value) => put(text, start, caret, value, `${name}:${/\s/.test(value) ? `"${value}"` : value}`, ' '))
}

function put(text: string, start: number, caret: number, shown: string, word: string, after: string): Completion {
  const before = text.slice(0, start) + word + after
  return { shown, text: before + text.slice(caret).replace(/^\S*\s?/, ''), caret: before.length }
}
