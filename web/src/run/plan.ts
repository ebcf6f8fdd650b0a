// The jobs of a run as the graph and the list have them: the legs of a matrix are one node.
import type { Job } from '@/api/types'
import { shownAs, type Shown, type Status } from '@/status/status'

export interface Node {
  id: string
  name: string
  jobs: Job[]
  needs: string[] // ids of nodes
  shown: Shown
}

const baseOf = (key: string): string => key.replace(/ \([^()]*\)$/, '')

export function nodesOf(jobs: readonly Job[]): Node[] {
  const groups = new Map<string, Job[]>()
  for (const job of jobs) {
    const id = job.matrix ? baseOf(job.key) : job.key
    groups.set(id, [...(groups.get(id) ?? []), job])
  }
  const nodeOfKey = new Map([...groups].flatMap(([id, legs]) => legs.map((job) => [job.key, id] as const)))
  return [...groups].map(([id, legs]) => ({
    id,
    name: legs.length > 1 ? baseOf(legs[0]!.name) : legs[0]!.name,
    jobs: legs,
    needs: [...new Set(legs.flatMap((job) => needsOf(job, nodeOfKey, groups)))].filter((need) => need !== id),
    shown: worst(legs),
  }))
}

// What a job needs is named by the keys of its own file; within a called file these stand behind the caller's key.
function needsOf(job: Job, nodeOfKey: Map<string, string>, groups: Map<string, Job[]>): string[] {
  const front = job.caller ? `${job.caller}/` : ''
  const needs = job.needs.flatMap((need) => {
    const node = nodeOfKey.get(front + need) ?? nodeOfKey.get(need)
    if (node) return [node]
    return [front + need, need].filter((id) => groups.has(id)).slice(0, 1)
  })
  const caller = job.caller && job.needs.length === 0 ? nodeOfKey.get(job.caller) : undefined
  return caller ? [caller] : needs
}

const order: Status[] = ['failure', 'waiting', 'running', 'queued', 'cancelled', 'success', 'skipped', 'past']

export function worst(jobs: readonly Job[]): Shown {
  const all = jobs.map((job) => shownAs(job.status, job.conclusion))
  return all.reduce((one, other) => (order.indexOf(other.status) < order.indexOf(one.status) ? other : one))
}

export function countsOf(jobs: readonly Job[]): Map<Status, number> {
  const counts = new Map<Status, number>()
  for (const job of jobs) {
    const { status } = shownAs(job.status, job.conclusion)
    counts.set(status, (counts.get(status) ?? 0) + 1)
  }
  return counts
}

const endOf = (node: Node): number =>
  Math.max(0, ...node.jobs.map((job) => (job.completed_at ? Date.parse(job.completed_at) : 0)))

// The chain that took the run its time: from what ended last, each time back to the need that ended last.
export function criticalPath(nodes: readonly Node[]): Set<string> {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const path = new Set<string>()
  const ran = (node: Node) => node.jobs.some((job) => job.started_at !== null)
  const lastOf = (some: readonly Node[]) =>
    some
      .filter(ran)
      .reduce<Node | undefined>((last, node) => (!last || endOf(node) > endOf(last) ? node : last), undefined)
  let at = lastOf(nodes)
  while (at && !path.has(at.id)) {
    path.add(at.id)
    at = lastOf(at.needs.map((need) => byId.get(need)).filter((need) => need !== undefined))
  }
  return path
}

export const tookOf = (jobs: readonly Job[]): { from: string | null; to: string | null } => {
  const starts = jobs
    .map((job) => job.started_at)
    .filter((time) => time !== null)
    .sort()
  const done = jobs.every((job) => job.status === 'completed')
  const ends = jobs
    .map((job) => job.completed_at)
    .filter((time) => time !== null)
    .sort()
  return { from: starts[0] ?? null, to: done ? (ends.at(-1) ?? null) : null }
}
