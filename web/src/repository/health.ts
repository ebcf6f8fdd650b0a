// How a commit is: the worst of the latest runs of its workflows.
import type { Run } from '@/api/types'
import { shownAs, type Shown, type Status } from '@/status/status'

export interface Health {
  shown: Shown
  run: Run // that says so
  workflows: number
}

const worst = {
  failure: 0,
  waiting: 1,
  running: 2,
  queued: 3,
  cancelled: 4,
  success: 5,
  skipped: 6,
  past: 7,
} satisfies Record<Status, number>

// `runs` newest first.
export function healthOf(runs: readonly Run[], commit: string): Health | undefined {
  const latest = new Map<string, Run>()
  for (const run of runs)
    if (run.commit === commit && !latest.has(run.workflow_file)) latest.set(run.workflow_file, run)
  const all = [...latest.values()].map((run) => ({ run, shown: shownAs(run.status, run.conclusion) }))
  const [first] = all.sort((a, b) => worst[a.shown.status] - worst[b.shown.status])
  return first && { ...first, workflows: all.length }
}
