// The filter of the runs list: what is typed (`result:failed branch:main cart`), what stands in the address, and
// whether a run fits, as the server understands it: src/services/pipeline/run_list.cc, run_words.h.
import type { Run } from '@/api/types'
import { shownAs, type Status } from '@/status/status'

export const filterNames = ['repo', 'branch', 'actor', 'event', 'result', 'workflow', 'commit'] as const
export type FilterName = (typeof filterNames)[number]
export type RunFilter = Partial<Record<FilterName | 'q', string>>

export const results = ['failed', 'passed', 'running', 'queued', 'cancelled', 'skipped', 'waiting'] as const
export type Result = (typeof results)[number]

const statuses = {
  failed: 'failure',
  passed: 'success',
  running: 'running',
  queued: 'queued',
  cancelled: 'cancelled',
  skipped: 'skipped',
  waiting: 'waiting',
} satisfies Record<Result, Status>

export function parseFilter(text: string): RunFilter {
  const filter: RunFilter = {}
  const words: string[] = []
  for (const [, name, quoted, plain] of text.matchAll(/(?:(\w+):)?(?:"([^"]*)"|(\S+))/g)) {
    const value = quoted ?? plain ?? ''
    if (name && (filterNames as readonly string[]).includes(name)) filter[name as FilterName] = value
    else words.push(name ? `${name}:${value}` : value)
  }
  if (words.length > 0) filter.q = words.join(' ')
  return filter
}

export function writeFilter(filter: RunFilter): string {
  const typed = filterNames.flatMap((name) => {
    const value = filter[name]
    return value ? [`${name}:${/\s/.test(value) ? `"${value}"` : value}`] : []
  })
  return [...typed, ...(filter.q ? [filter.q] : [])].join(' ')
}

export function fits(run: Run, filter: RunFilter): boolean {
  if (filter.repo && run.repository.toLowerCase() !== filter.repo.toLowerCase()) return false
  if (filter.branch && run.branch !== filter.branch) return false
  if (filter.actor && run.actor !== filter.actor) return false
  if (filter.event && run.event !== filter.event) return false
  if (filter.result && shownAs(run.status, run.conclusion).status !== statuses[filter.result as Result]) return false
  const file = run.workflow_file
  if (filter.workflow && ![run.workflow, file, file.split('/').pop()].includes(filter.workflow)) return false
  if (filter.commit && !run.commit.startsWith(filter.commit.toLowerCase())) return false
  return wordsFit(run, (filter.q ?? '').toLowerCase().split(/\s+/).filter(Boolean))
}

function wordsFit(run: Run, words: string[]): boolean {
  const texts = [run.title, run.workflow, run.repository, run.branch, run.actor].join('\n').toLowerCase()
  const numbers = [String(run.id), String(run.number)]
  return words.every(
    (word) =>
      texts.includes(word) ||
      numbers.includes(word.replace(/^#/, '')) ||
      (/^[0-9a-f]{4,}$/.test(word) && run.commit.startsWith(word)),
  )
}
