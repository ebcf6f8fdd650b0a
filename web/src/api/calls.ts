// Every address of the API that the pages use.
import { address, ask, named, send } from './client'

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
  ask('GET', '/api/v1/runs', { query: { ...wanted, cursor, limit, at }, signal })

export const showRun = (run: string, at: Moment, signal?: Signal) =>
  ask('GET', '/api/v1/runs/{run}', { path: { run }, query: { at }, signal })

export const cancelRun = (run: number, force: boolean) =>
  ask('POST', '/api/v1/runs/{run}/cancel', { path: { run }, query: { force } })

export const rerun = (run: number, which: { failed?: boolean; job?: string }) =>
  ask('POST', '/api/v1/runs/{run}/rerun', { path: { run }, query: which })

export const testsOfRun = (run: number, cursor: string | null, at: Moment, signal?: Signal) =>
  ask('GET', '/api/v1/runs/{run}/tests', { path: { run }, query: { cursor, limit: 200, at }, signal })

export const historyOfTest = (repository: string, test: string, ref: string, limit: number, at: Moment) =>
  ask('GET', '/api/v1/repositories/{owner}/{repo}/tests/{test}', {
    path: { ...named(repository), test },
    query: { ref, limit, at },
  })

export const summaryOfRun = async (run: number, signal?: Signal): Promise<string> =>
  (await send('GET', '/api/v1/runs/{run}/summary', { path: { run }, signal })).text()

export const artifactsOfRun = (repository: string, run_id: number, at: Moment, signal?: Signal) =>
  ask('GET', '/api/v3/repos/{owner}/{repo}/actions/runs/{run_id}/artifacts', {
    path: { ...named(repository), run_id },
    query: { per_page: 100, at },
    signal,
  })

export const artifactAddress = (repository: string, artifact_id: number): string =>
  address('/api/v3/repos/{owner}/{repo}/actions/artifacts/{artifact_id}/{archive_format}', {
    ...named(repository),
    artifact_id,
    archive_format: 'zip',
  })

export const logAddress = (job: string, attempt: number): string =>
  address('/api/v1/jobs/{job}/log', { job }, { attempt })

export const followLog = (
  job: string,
  attempt: number,
  begin: { from: number } | { last: number },
  follow: boolean,
  signal: AbortSignal,
) => send('GET', '/api/v1/jobs/{job}/log', { path: { job }, query: { attempt, ...begin, follow }, signal })

export const blob = async (repository: string, revision: string, path: string, signal?: Signal): Promise<string> =>
  (
    await send('GET', '/api/v1/repositories/{owner}/{repo}/blob/{revision}', {
      path: { ...named(repository), revision },
      query: { path },
      signal,
    })
  ).text()

export const listRepositories = (at: Moment, signal?: Signal) =>
  ask('GET', '/api/v1/repositories', { query: { runs: true, at }, signal })

export interface EventsWanted {
  filter?: string
  order?: 'oldest' | 'newest'
  from?: number | null // where to begin to look: from the oldest on, or from the newest back, where absent
  limit: number
  at?: Moment
}
export const listEvents = (wanted: EventsWanted, signal?: Signal) =>
  ask('GET', '/api/v1/events', { query: { ...wanted }, signal })

export const showEvent = (id: string, signal?: Signal) => ask('GET', '/api/v1/events/{id}', { path: { id }, signal })

export const why = (id: string, signal?: Signal) => ask('GET', '/api/v1/events/{id}/why', { path: { id }, signal })

export interface TokenWish {
  name: string
  days: number
  scopes: string[]
}

// The one moment in which its secret is known.
export const createToken = (wish: TokenWish) => ask('POST', '/api/v1/tokens', { body: wish })

export const showStatus = (signal?: Signal) => ask('GET', '/api/v1/status', { signal })

export const openEventStream = (after: number | null, signal: AbortSignal, filter = '') =>
  send('GET', '/api/v1/events/stream', {
    query: { from: after === null ? 'now' : String(after + 1), filter },
    signal,
    headers: { Accept: 'text/event-stream' },
  })
