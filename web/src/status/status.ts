// The eight states that anything of the platform can be in, and where the API's words lead.
export type Status = 'queued' | 'running' | 'success' | 'failure' | 'cancelled' | 'skipped' | 'waiting' | 'past'

export type Conclusion =
  | 'success'
  | 'failure'
  | 'timed_out'
  | 'startup_failure'
  | 'cancelled'
  | 'skipped'
  | 'neutral'
  | 'stale'
  | 'action_required'

export type RunState = 'waiting' | 'queued' | 'in_progress' | 'completed'

// What is written: most states have one word, some conclusions their own.
export type Word =
  | Status
  | 'timedOut'
  | 'couldNotStart'
  | 'neutral'
  | 'outdated'
  | 'notYet'
  | 'delivers'
  | 'paused'
  | 'stalled'
  | 'absent'
  | 'current'
  | 'catchingUp'
  | 'rebuilding'
  | 'stopped'

export interface Shown {
  status: Status
  word: Word
}

const conclusions = {
  success: { status: 'success', word: 'success' },
  failure: { status: 'failure', word: 'failure' },
  timed_out: { status: 'failure', word: 'timedOut' },
  startup_failure: { status: 'failure', word: 'couldNotStart' },
  cancelled: { status: 'cancelled', word: 'cancelled' },
  skipped: { status: 'skipped', word: 'skipped' },
  neutral: { status: 'skipped', word: 'neutral' },
  stale: { status: 'skipped', word: 'outdated' },
  action_required: { status: 'waiting', word: 'waiting' },
} satisfies Record<Conclusion, Shown>

export const isConclusion = (word: unknown): word is Conclusion =>
  typeof word === 'string' && Object.hasOwn(conclusions, word)

const states = {
  waiting: { status: 'queued', word: 'notYet' }, // a job whose needs are not done
  queued: { status: 'queued', word: 'queued' },
  in_progress: { status: 'running', word: 'running' },
} satisfies Record<Exclude<RunState, 'completed'>, Shown>

export function shownAs(state: RunState, conclusion: Conclusion | null): Shown {
  if (state !== 'completed') return states[state]
  return conclusion ? conclusions[conclusion] : { status: 'skipped', word: 'neutral' }
}

export const wordKeys = {
  queued: 'status.queued',
  running: 'status.running',
  success: 'status.success',
  failure: 'status.failure',
  cancelled: 'status.cancelled',
  skipped: 'status.skipped',
  waiting: 'status.waiting',
  past: 'status.past',
  timedOut: 'status.timedOut',
  couldNotStart: 'status.couldNotStart',
  neutral: 'status.neutral',
  outdated: 'status.outdated',
  notYet: 'status.notYet',
  delivers: 'status.delivers',
  paused: 'status.paused',
  stalled: 'status.stalled',
  absent: 'status.absent',
  current: 'status.current',
  catchingUp: 'status.catchingUp',
  rebuilding: 'status.rebuilding',
  stopped: 'status.stopped',
} satisfies Record<Word, string>
