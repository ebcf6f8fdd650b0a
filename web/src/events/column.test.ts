import { expect, it } from 'vitest'
import { columnOf } from './column'

it.each([
  ['The expression cannot be read at column 9: LIKE wants a pattern in quotes', 9],
  ['The filter cannot be used: x', undefined],
  ['', undefined],
])('%s', (message, column) => expect(columnOf(message)).toBe(column))
