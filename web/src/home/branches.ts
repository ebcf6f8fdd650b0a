// What the newest runs of a branch come to: the newest of each workflow counts, and the worst of them is the branch.
import type { Run } from '@/api/types'
import { shownAs, type Shown, type Status } from '@/status/status'

export interface BranchState {
  shown: Shown | null // null: nothing has run there, or it is not known yet
  known: boolean
  newest: Run | undefined // what the state is about: the newest failed run, else the newest
  failed: Run[] // of each workflow the newest that ended, where it failed
}

const worst: Status[] = ['failure', 'waiting', 'running', 'queued', 'success', 'cancelled', 'skipped', 'past']

export function stateOf(rows: readonly Run[], known: boolean): BranchState {
  const workflows = new Map<string, Run[]>()
  for (const run of [...rows].sort((a, b) => b.id - a.id))
    workflows.set(run.workflow_file, [...(workflows.get(run.workflow_file) ?? []), run])
  const failed: Run[] = []
  const states: { shown: Shown; run: Run }[] = []
  for (const runs of workflows.values()) {
    const ended = runs.find(decided)
    const broken = ended && shownAs(ended.status, ended.conclusion).status === 'failure'
    if (broken) failed.push(ended)
    // One that runs does not hide that the one before it failed.
    const told = broken ? ended : runs[0]!
    states.push({ shown: shownAs(told.status, told.conclusion), run: told })
  }
  states.sort((a, b) => worst.indexOf(a.shown.status) - worst.indexOf(b.shown.status) || b.run.id - a.run.id)
  return { shown: states[0]?.shown ?? null, known, newest: states[0]?.run, failed }
}

// Cancelled and skipped runs say nothing about the branch.
function decided(run: Run): boolean {
  const { status } = shownAs(run.status, run.conclusion)
  return run.status === 'completed' && (status === 'success' || status === 'failure')
}

// Mine first, then the newest.
export function mineFirst(runs: readonly Run[], me: string | undefined): Run[] {
  return [...runs].sort((a, b) => Number(b.actor === me) - Number(a.actor === me) || b.id - a.id)
}
