import { expect, it } from 'vitest'
import { extended, hashOf, rangeOf, typedRange } from './lineRange'

it.each([
  ['#L10', { from: 10, to: 10 }],
  ['#L10-L20', { from: 10, to: 20 }],
  ['#L20-L10', { from: 10, to: 20 }],
  ['#L10-20', { from: 10, to: 20 }],
  ['#L0', undefined],
  ['#readme', undefined],
  ['', undefined],
])('%s', (hash, range) => expect(rangeOf(hash)).toEqual(range))

it('is written as it is read', () => {
  for (const hash of ['#L1', '#L10-L20']) expect(hashOf(rangeOf(hash)!)).toBe(hash)
})
it('grows from where it began', () => {
  expect(extended({ from: 10, to: 12 }, 20)).toEqual({ from: 10, to: 20 })
  expect(extended({ from: 10, to: 12 }, 3)).toEqual({ from: 3, to: 10 })
  expect(extended(undefined, 3)).toEqual({ from: 3, to: 3 })
})
it('is typed as one likes', () => {
  for (const text of ['10-20', ' 10 - 20 ', '10:20']) expect(typedRange(text)).toEqual({ from: 10, to: 20 })
  expect(typedRange('ten')).toBeUndefined()
})
