// The state of the platform in words.
import type { StoragePart, VersionName } from '@/api/platform'
import type { Projection, Runner, Status } from '@/api/types'
import type { Shown } from '@/status/status'

export type Phase = 'live' | 'behind' | 'rebuilding' | 'stopped'

export const phaseShown = {
  live: { status: 'success', word: 'current' },
  behind: { status: 'running', word: 'catchingUp' },
  rebuilding: { status: 'running', word: 'rebuilding' },
  stopped: { status: 'failure', word: 'stopped' },
} satisfies Record<Phase, Shown>

const behindEvents = 1_000 // fewer are on their way

export function phaseOf(one: Projection): Phase {
  if (one.phase === 'stopped' || one.phase === 'rebuilding') return one.phase
  return one.tail - one.applied >= behindEvents ? 'behind' : 'live'
}

// What a person should know first; none: all is well.
export type Trouble = 'log' | 'stopped' | 'rebuilding' | 'stalled' | 'dead' | 'noRunner' | 'paused'

export function troublesOf(status: Status): Trouble[] {
  const phases = status.projections.map(phaseOf)
  const found: [Trouble, boolean][] = [
    ['log', status.log.stopped !== null],
    ['stopped', phases.includes('stopped')],
    ['stalled', (status.bus?.stalled ?? 0) > 0],
    ['dead', (status.bus?.dead_letters ?? 0) > 0],
    ['noRunner', !status.runners.some((runner) => !runner.draining)],
    ['rebuilding', phases.includes('rebuilding') || phases.includes('behind')],
    ['paused', (status.bus?.paused ?? 0) > 0],
  ]
  return found.filter(([, there]) => there).map(([trouble]) => trouble)
}

export const troubleKeys = {
  log: 'platform.trouble.log',
  stopped: 'platform.trouble.stopped',
  rebuilding: 'platform.trouble.rebuilding',
  stalled: 'platform.trouble.stalled',
  dead: 'platform.trouble.dead',
  noRunner: 'platform.trouble.noRunner',
  paused: 'platform.trouble.paused',
} satisfies Record<Trouble, string>

export const isBad = (trouble: Trouble): boolean => trouble !== 'rebuilding' && trouble !== 'paused'

export const slotsOf = (runners: readonly Runner[]): { busy: number; slots: number } => ({
  busy: runners.reduce((sum, one) => sum + one.busy, 0),
  slots: runners.reduce((sum, one) => sum + one.slots, 0),
})

export const partKeys = {
  log: 'platform.storage.log',
  repositories: 'platform.storage.repositories',
  artifacts: 'platform.storage.artifacts',
  logs: 'platform.storage.logs',
  projections: 'platform.storage.projections',
  databases: 'platform.storage.databases',
  other: 'platform.storage.other',
} satisfies Record<StoragePart, string>

export const versionKeys = {
  headrace: 'platform.versions.headrace',
  git: 'platform.versions.git',
  sqlite: 'platform.versions.sqlite',
  tls: 'platform.versions.tls',
  boost: 'platform.versions.boost',
  compiler: 'platform.versions.compiler',
  kernel: 'platform.versions.kernel',
} satisfies Record<VersionName, string>
