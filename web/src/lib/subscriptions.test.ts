import { expect, it } from 'vitest'
import type { Subscription } from '@/api/bus'
import { subscriptionOf } from '../../tests/mounting'
import { behindFirst, inOrder, mayBeDeleted, moves } from './subscriptions'

const names = (all: Subscription[]) => all.map((one) => one.name)

it('who needs a person stands first, then who is behind, then the rest by name', () => {
  const all = [
    subscriptionOf('b'),
    subscriptionOf('a'),
    subscriptionOf('gone', { state: 'absent' }),
    subscriptionOf('late', {}, { oldest_unacknowledged_seconds: 60 }),
    subscriptionOf('later', {}, { oldest_unacknowledged_seconds: 600 }),
    subscriptionOf('fresh', {}, { oldest_unacknowledged_seconds: 0.2 }),
    subscriptionOf('paused', { state: 'paused' }),
    subscriptionOf('letters', {}, { dead: 2 }),
    subscriptionOf('stalled', { state: 'stalled' }),
  ]
  expect(names(behindFirst(all))).toEqual(['stalled', 'letters', 'paused', 'later', 'late', 'fresh', 'a', 'b', 'gone'])
})

it('the order that is shown stays when values change; what is new comes last, what is gone leaves', () => {
  const now = [subscriptionOf('a', {}, { dead: 9 }), subscriptionOf('b'), subscriptionOf('new')]
  expect(names(inOrder(['b', 'gone', 'a'], now))).toEqual(['b', 'a', 'new'])
})

it('what stands still is not asked again', () => {
  expect(moves(subscriptionOf('a'))).toBe(false)
  expect(moves(subscriptionOf('a', {}, { queue_length: 1 }))).toBe(true)
  expect(moves(subscriptionOf('a', {}, { delivered_per_second: 0.01 }))).toBe(true)
})

it('a handler of this program cannot be deleted', () => {
  expect(mayBeDeleted(subscriptionOf('a'))).toBe(false)
  expect(mayBeDeleted(subscriptionOf('a', { kind: 'pull' }))).toBe(true)
  expect(mayBeDeleted(subscriptionOf('a', { state: 'absent' }))).toBe(true)
})
