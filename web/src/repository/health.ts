// How a commit is: the worst of the latest runs of its workflows.
import type { Ran } from '@/api/types'
import { shownAs, type Shown, type Status } from '@/status/status'

export interface Health<R extends Ran = Ran> {
  shown: Shown
  run: R // that says so
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
export function healthOf<R extends Ran>(runs: readonly R[], commit: string): Health<R> | undefined {
  const latest = new Map<string, R>()
  for (const run of runs)
    if (run.commit === commit && !latest.has(run.workflow_file)) latest.set(run.workflow_file, run)
  const all = [...latest.values()].map((run) => ({ run, shown: shownAs(run.status, run.conclusion) }))
  const [first] = all.sort((a, b) => worst[a.shown.status] - worst[b.shown.status])
  return first && { ...first, workflows: all.length }
}
