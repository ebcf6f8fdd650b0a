// What the pages make of a subscription: which one a person should look at first, and its state in words.
import type { Subscription, SubscriptionState, WaitingReason } from '@/api/bus'
import type { Shown } from '@/status/status'
import { shortType } from './events'

export const stateShown = {
  running: { status: 'success', word: 'delivers' },
  paused: { status: 'cancelled', word: 'paused' },
  stalled: { status: 'failure', word: 'stalled' },
  absent: { status: 'skipped', word: 'absent' },
} satisfies Record<SubscriptionState, Shown>

const behindSeconds = 5 // an event younger than that is on its way

export const isBehind = (one: Subscription): boolean => one.measures.oldest_unacknowledged_seconds >= behindSeconds

function rank(one: Subscription): number {
  if (one.state === 'stalled') return 0
  if (one.measures.dead > 0) return 1
  if (one.state === 'paused') return 2
  if (isBehind(one)) return 3
  return one.state === 'absent' ? 5 : 4
}

export function behindFirst(all: readonly Subscription[]): Subscription[] {
  return [...all].sort(
    (a, b) =>
      rank(a) - rank(b) ||
      b.measures.oldest_unacknowledged_seconds - a.measures.oldest_unacknowledged_seconds ||
      (a.name < b.name ? -1 : 1),
  )
}

// The order that a reader has before them stays; what is new comes behind it.
export function inOrder(names: readonly string[], all: readonly Subscription[]): Subscription[] {
  const known = new Map(all.map((one) => [one.name, one]))
  const before = names.flatMap((name) => known.get(name) ?? [])
  return [...before, ...all.filter((one) => !names.includes(one.name))]
}

// Rates fade over a minute, ages grow.
export const moves = (one: Subscription): boolean =>
  one.measures.queue_length > 0 ||
  one.measures.in_flight > 0 ||
  one.measures.delivered_per_second >= 0.005 ||
  one.measures.error_rate >= 0.0005

export const reasonKeys = {
  paused: 'subscriptions.reason.paused',
  gate: 'subscriptions.reason.gate',
  handler: 'subscriptions.reason.handler',
  'back-off': 'subscriptions.reason.backOff',
  'held-key': 'subscriptions.reason.heldKey',
  'no-credit': 'subscriptions.reason.noCredit',
  concurrency: 'subscriptions.reason.concurrency',
  'catching-up': 'subscriptions.reason.catchingUp',
  'not-started': 'subscriptions.reason.notStarted',
  absent: 'subscriptions.reason.absent',
  'log-unreadable': 'subscriptions.reason.logUnreadable',
} satisfies Record<WaitingReason, string>

// Those made by somebody, and those whose handler has gone; a handler of this program has its own for good.
export const mayBeDeleted = (one: Subscription): boolean => one.kind === 'pull' || one.state === 'absent'

// Handlers name types of today; an older version of a type is heard as well.
export const hearsType = (one: Subscription, type: string): boolean =>
  one.types.length === 0 || one.types.some((heard) => shortType(heard) === shortType(type))
