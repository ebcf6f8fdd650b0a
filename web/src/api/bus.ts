// Subscriptions and their dead letters: addresses and answers.
import { ask } from './client'
import type { Schemas } from './types'

export type Subscription = Schemas['Subscription']
export type SubscriptionState = Subscription['state']
export type Measures = Schemas['SubscriptionMeasures']
export type Waiting = Schemas['Waiting']
export type WaitingReason = Waiting['reason']
export type DeadLetter = Schemas['DeadLetter']
export type NewSubscription = Schemas['SubscriptionWish']

type Signal = AbortSignal | undefined

export const lettersMost = 1_000 // that one answer holds

export const listSubscriptions = async (signal?: Signal): Promise<Subscription[]> =>
  (await ask('GET', '/api/v1/subscriptions', { signal })).subscriptions

const one = '/api/v1/subscriptions/{name}'
export const showSubscription = (name: string, signal?: Signal) => ask('GET', one, { path: { name }, signal })
export const createSubscription = (wanted: NewSubscription) => ask('POST', '/api/v1/subscriptions', { body: wanted })
export const pauseSubscription = (name: string) => ask('POST', `${one}/pause`, { path: { name } })
export const resumeSubscription = (name: string) => ask('POST', `${one}/resume`, { path: { name } })
export const seekSubscription = (name: string, to: string) =>
  ask('POST', `${one}/seek`, { path: { name }, query: { to } })
export const deleteSubscription = (name: string) => ask('DELETE', one, { path: { name } })

// Oldest first, at most `lettersMost`.
export const listDeadLetters = async (subscription: string, signal?: Signal): Promise<DeadLetter[]> =>
  (await ask('GET', '/api/v1/dead-letters', { query: { subscription }, signal })).dead_letters

const letter = '/api/v1/dead-letters/{name}/{offset}'
const place = (one: DeadLetter) => ({ name: one.subscription, offset: one.offset })
export const showDeadLetter = (one: DeadLetter, signal?: Signal) => ask('GET', letter, { path: place(one), signal })
export const replayDeadLetter = (one: DeadLetter) => ask('POST', `${letter}/replay`, { path: place(one) })
export const discardDeadLetter = (one: DeadLetter, reason: string) =>
  ask('POST', `${letter}/discard`, { path: place(one), query: { reason } })
