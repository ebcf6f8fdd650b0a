// Subscriptions and their dead letters: addresses and answers.
import { ask } from './client'
import type { PlatformEvent } from './types'

export const waitingReasons = [
  'paused',
  'gate',
  'handler',
  'back-off',
  'held-key',
  'no-credit',
  'concurrency',
  'catching-up',
  'not-started',
  'absent',
  'log-unreadable',
] as const
export type WaitingReason = (typeof waitingReasons)[number]
export type SubscriptionState = 'running' | 'paused' | 'stalled' | 'absent'

export interface Waiting {
  reason: WaitingReason
  since: string
  offset: number // of the first event concerned; 0: none in particular
  key: string
  detail: string
}

export interface Measures {
  oldest_unacknowledged_seconds: number // 0: nothing waits
  queue_length: number
  queue_exact: boolean
  delivered: number
  delivered_per_second: number
  attempts: number
  failed: number
  dead: number
  in_flight: number
  error_rate: number
  handler_p50_seconds: number
  handler_p99_seconds: number
  response_p50_seconds: number
  response_p99_seconds: number
}

export interface Subscription {
  name: string
  service: string // empty: nobody of the platform's
  kind: 'handler' | 'pull'
  types: string[]
  filter: string
  order_by: string
  on_dead: 'continue' | 'hold'
  state: SubscriptionState
  acknowledged: number
  connections: number
  waiting: Waiting[]
  held: { key: string; dead: number; waiting: number }[]
  measures: Measures
}

export interface DeadLetter {
  subscription: string
  offset: number
  key: string
  attempts: number
  error: string
  since: string
  holds: boolean
  // null: the log cannot be read there; absent: the server does not tell
  event?: Pick<PlatformEvent, 'id' | 'type' | 'subject' | 'time'> | null
}

export interface NewSubscription {
  name: string
  filter: string
  start: string
  on_dead: 'continue' | 'hold'
  order_by: string
  ack_wait_seconds: number
  deliveries_max: number
}

const subscription = (name: string): string => `/v1/subscriptions/${encodeURIComponent(name)}`
const letter = (one: DeadLetter): string => `/v1/dead-letters/${encodeURIComponent(one.subscription)}/${one.offset}`
type Signal = AbortSignal | undefined

export const lettersMost = 1_000 // that one answer holds

export const listSubscriptions = async (signal?: Signal): Promise<Subscription[]> =>
  (await ask<{ subscriptions: Subscription[] }>('/v1/subscriptions', { signal })).subscriptions

export const showSubscription = (name: string, signal?: Signal) => ask<Subscription>(subscription(name), { signal })

export const createSubscription = (wanted: NewSubscription) =>
  ask<Subscription>('/v1/subscriptions', { method: 'POST', body: wanted })

export const pauseSubscription = (name: string) => ask<Subscription>(`${subscription(name)}/pause`, { method: 'POST' })
export const resumeSubscription = (name: string) =>
  ask<Subscription>(`${subscription(name)}/resume`, { method: 'POST' })
export const seekSubscription = (name: string, to: string) =>
  ask<Subscription>(`${subscription(name)}/seek`, { method: 'POST', query: { to } })
export const deleteSubscription = (name: string) => ask<void>(subscription(name), { method: 'DELETE' })

// Oldest first, at most `lettersMost`.
export const listDeadLetters = async (subscription: string, signal?: Signal): Promise<DeadLetter[]> =>
  (await ask<{ dead_letters: DeadLetter[] }>('/v1/dead-letters', { query: { subscription }, signal })).dead_letters

export const showDeadLetter = (one: DeadLetter, signal?: Signal) =>
  ask<Omit<DeadLetter, 'event'> & { event: PlatformEvent | null }>(letter(one), { signal })

export const replayDeadLetter = (one: DeadLetter) => ask<void>(`${letter(one)}/replay`, { method: 'POST' })
export const discardDeadLetter = (one: DeadLetter, reason: string) =>
  ask<void>(`${letter(one)}/discard`, { method: 'POST', query: { reason } })
