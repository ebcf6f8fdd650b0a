// Every address of the API that the pages use.
import { address, ask, send } from './client'
import type {
  Artifact,
  EventPage,
  PlatformEvent,
  Repository,
  Run,
  RunPage,
  Status,
  TestPage,
  TestResult,
  Why,
} from './types'

export type Moment = string | undefined // an offset or a time; undefined: now
type Signal = AbortSignal | undefined

export interface RunsWanted {
  repository?: string | undefined
  branch?: string | undefined
  commit?: string | undefined
  actor?: string | undefined
  event?: string | undefined
  result?: string | undefined
  workflow?: string | undefined
  q?: string | undefined
}

export const listRuns = (wanted: RunsWanted, cursor: string | null, limit: number, at: Moment, signal?: Signal) =>
  ask<RunPage>('/v1/runs', { query: { ...wanted, cursor, limit, at }, signal })

export const showRun = (id: string, at: Moment, signal?: Signal) =>
  ask<Run>(`/v1/runs/${encodeURIComponent(id)}`, { query: { at }, signal })

export const cancelRun = (id: number, force: boolean) =>
  ask<Run>(`/v1/runs/${id}/cancel`, { method: 'POST', query: { force } })

export const rerun = (id: number, which: { failed?: boolean; job?: string }) =>
  ask<Run>(`/v1/runs/${id}/rerun`, { method: 'POST', query: which })

export const testsOfRun = (id: number, cursor: string | null, at: Moment, signal?: Signal) =>
  ask<TestPage>(`/v1/runs/${id}/tests`, { query: { cursor, limit: 200, at }, signal })

export const historyOfTest = (repository: string, test: string, ref: string, limit: number, at: Moment) =>
  ask<{ results: TestResult[] }>(`/v1/repositories/${repository}/tests/${encodeURIComponent(test)}`, {
    query: { ref, limit, at },
  })

export const summaryOfRun = async (id: number, signal?: Signal): Promise<string> =>
  (await send(`/v1/runs/${id}/summary`, { signal })).text()

export const artifactsOfRun = (repository: string, id: number, at: Moment, signal?: Signal) =>
  ask<{ artifacts: Artifact[]; total_count: number }>(`/v3/repos/${repository}/actions/runs/${id}/artifacts`, {
    query: { per_page: 100, at },
    signal,
  })

export const artifactAddress = (repository: string, id: number): string =>
  address(`/v3/repos/${repository}/actions/artifacts/${id}/zip`)

export const logAddress = (job: string, attempt: number): string => address(`/v1/jobs/${job}/log`, { attempt })

export const followLog = (job: string, attempt: number, from: number, follow: boolean, signal: AbortSignal) =>
  send(`/v1/jobs/${job}/log`, { query: { attempt, from, follow }, signal })

export const blob = async (repository: string, revision: string, path: string, signal?: Signal): Promise<string> =>
  (
    await send(`/v1/repositories/${repository}/blob/${encodeURIComponent(revision)}`, { query: { path }, signal })
  ).text()

export const listRepositories = (at: Moment, signal?: Signal) =>
  ask<{ repositories: Repository[]; next: string | null }>('/v1/repositories', { query: { runs: true, at }, signal })

export const listEvents = (filter: string, from: number, limit: number, at: Moment, signal?: Signal) =>
  ask<EventPage>('/v1/events', { query: { filter, from, limit, at }, signal })

export const showEvent = (id: string, signal?: Signal) =>
  ask<PlatformEvent>(`/v1/events/${encodeURIComponent(id)}`, { signal })

export const why = (id: string, signal?: Signal) => ask<Why>(`/v1/events/${encodeURIComponent(id)}/why`, { signal })

export interface TokenWish {
  name: string
  days: number
  scopes: string[]
}

// The one moment in which its secret is known.
export const createToken = (wish: TokenWish) =>
  ask<{ token: string; id: string }>('/v1/tokens', { method: 'POST', body: wish })

export const showStatus = (signal?: Signal) => ask<Status>('/v1/status', { signal })

export const openEventStream = (after: number | null, signal: AbortSignal, filter = '') =>
  send('/v1/events/stream', {
    query: { from: after === null ? 'now' : after + 1, filter },
    signal,
    headers: { Accept: 'text/event-stream' },
  })
