// What a newcomer may try with the demo, and what of it is done. What is there decides: a page that was closed meanwhile
// misses nothing.
import type { Repository, Run } from '@/api/types'
import { shownAs } from '@/status/status'

export const demo = { repository: 'demo/shop', actor: 'demo' }

export const tries = ['break', 'find', 'why', 'past'] as const
export type Try = (typeof tries)[number]
export type Done = Partial<Record<Try, true>>

export interface Seen {
  page: string // the route's name
  run: string // the id in its address, of a page of a run
  past: boolean
}

const pagesOfRuns = ['run', 'runTests', 'runJob', 'runSummary', 'runArtifacts']
const failed = (run: Run): boolean => shownAs(run.status, run.conclusion).status === 'failure'

export function progress(done: Done, runs: Run[], seen: Seen): Done {
  const now: Done = { ...done }
  if (runs.some((run) => run.actor !== demo.actor)) now.break = true
  const opened = pagesOfRuns.includes(seen.page) && runs.find((run) => String(run.id) === seen.run)
  if (opened && failed(opened)) now.find = true
  if (seen.page === 'event') now.why = true
  if (seen.past) now.past = true
  return now
}

// What breaks a test, for a shell: whoever has no name for git yet commits all the same.
export function breaking(repository: Repository, user: string, token: string): string {
  const from = repository.clone_url.replace('://', `://${encodeURIComponent(user)}:${token}@`)
  return [
    `git clone ${from} && cd ${repository.name}`,
    "sed -i 's/100 - discount_/discount_/' src/cart.cc",
    `git -c user.name=${user} -c user.email=${user}@localhost commit -am "Give the discount the other way round"`,
    'git push',
  ].join('\n')
}
