import { expect, it } from 'vitest'
import { gaps, Rate, roundUp, secondsShown, stretches } from './rate'

it('goes on from what the server counted, and takes no event twice', () => {
  const rate = new Rate()
  rate.begin([1, 2, 3], 10_000, 100, 10_400)
  rate.heard(100)
  rate.heard(101)
  rate.heard(102)
  rate.tick(10_900, true)
  expect(rate.seconds).toEqual([1, 2, 3])
  rate.tick(11_000, true)
  expect(rate.seconds).toEqual([1, 2, 3, 2])
  rate.tick(14_100, true)
  expect(rate.seconds).toEqual([1, 2, 3, 2, 0, 0, 0])
})

it('has a gap where there was no stream', () => {
  const rate = new Rate()
  rate.begin([4], 10_000, 100, 10_000)
  rate.tick(12_000, false)
  rate.heard(101)
  rate.tick(13_000, true)
  expect(rate.seconds).toEqual([4, null, null, 1])
})

it('keeps two minutes, also after a night', () => {
  const rate = new Rate()
  rate.begin(new Array(500).fill(7), 10_000, 100, 10_000)
  expect(rate.seconds).toHaveLength(secondsShown)
  rate.tick(9_999_000, false)
  expect(rate.seconds).toEqual(new Array(secondsShown).fill(null))
})

it('is drawn in stretches that end where nobody counted; the newest second is on the right', () => {
  const seconds = [1, null, null, 2, 3]
  const right = secondsShown - 1
  expect(stretches(seconds)).toEqual([
    [[right - 4, 1]],
    [
      [right - 1, 2],
      [right, 3],
    ],
  ])
  expect(gaps(seconds)).toEqual([[right - 3, right - 1]])
})

it('the scale ends at a round number', () => {
  expect([0, 1, 3, 7, 11, 201, 4999].map(roundUp)).toEqual([1, 1, 5, 10, 20, 500, 5000])
})
