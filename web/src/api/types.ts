// What the API answers, as far as the pages use it. Written from the answers themselves; this file gives way to one
// that is generated once the OpenAPI document has schemas of its answers.
import type { Conclusion, RunState } from '@/status/status'

export type ErrorCode =
  'invalid' | 'unauthenticated' | 'denied' | 'not_found' | 'conflict' | 'exhausted' | 'unavailable' | 'corrupt'

export interface Annotation {
  level: 'error' | 'warning' | 'notice'
  message: string
  title: string
  file: string
  line: number
  end_line: number
  column: number
  end_column: number
  step: number
}

export interface Step {
  number: number
  name: string
  status: 'in_progress' | 'completed'
  conclusion: Conclusion | null
  started_at?: string | null
  completed_at?: string | null
}

export interface Job {
  id: number
  job: string
  key: string
  name: string
  status: RunState
  conclusion: Conclusion | null
  needs: string[]
  matrix: Record<string, unknown> | null
  caller: string
  outputs: Record<string, string>
  annotations: Annotation[]
  environment_url: string
  summary_bytes: number
  attempt: number
  runner: string
  reason: string
  waiting_for?: string
  queued_at: string | null
  started_at: string | null
  completed_at: string | null
  steps: Step[]
}

export interface Run {
  id: number
  run: string
  number: number
  attempt: number
  repository: string
  workflow: string
  workflow_file: string
  event: string
  ref: string
  branch: string
  commit: string
  actor: string
  title: string
  status: RunState
  conclusion: Conclusion | null
  errors: string
  waits: boolean
  group: string
  created_at: string | null
  queued_at: string | null
  started_at: string | null
  completed_at: string | null
  jobs: Job[]
}

export interface RunPage {
  runs: Run[]
  next: string | null
  looked_until: string | null // the server looked at many and stopped there: what is older is left
}

// Of a run what tells how its commit is.
export type Ran = Pick<Run, 'id' | 'commit' | 'workflow_file' | 'status' | 'conclusion'>

export interface Repository {
  id: number
  full_name: string
  owner: string
  name: string
  default_branch: string
  clone_url: string
  created?: number // offset of the event that it began with
  runs?: Ran[] // of its default branch, the newest; where they were asked for and may be told
}

export interface PlatformEvent {
  offset: number
  specversion: string
  id: string
  source: string
  type: string
  subject?: string
  time: string
  actor?: string
  causationid?: string
  correlationid?: string
  partitionkey?: string
  data?: unknown
  [extension: string]: unknown
}

export interface EventPage {
  events: PlatformEvent[]
  next: number | null
}

export interface Why {
  event: PlatformEvent
  causes: PlatformEvent[]
  effects: PlatformEvent[]
  root_found: boolean
  truncated: boolean
}

export type Outcome = 'passed' | 'failed' | 'errored' | 'skipped' | 'not_run'

export interface TestCase {
  id: string
  suite: string
  class: string
  name: string
  report: string
  outcome: Outcome
  flaky: boolean
  before: string | null
  duration_us: number | null
  message: string | null
  details: string | null
  file: string | null
  line: number | null
}

export interface TestReport {
  report: string
  job: string
  job_key: string
  attempt: number
  step: number
  file: string
  cases: number
  passed: number
  failed: number
  errored: number
  skipped: number
  not_run: number
  flaky: number
  duration_us: number
}

export interface TestPage {
  reports: TestReport[]
  tests: TestCase[]
  next: string | null
}

export interface TestResult {
  run: string
  run_number: number
  job_key: string
  ref: string
  outcome: Outcome
}

export interface Artifact {
  id: number
  name: string
  size_in_bytes: number
  archive_download_url: string
  expired: boolean
  digest: string
  created_at: string
  expires_at: string
}

export interface Account {
  actor: string
  name: string
  scopes: string[]
}

export interface Projection {
  name: string
  version: number
  phase: string
  applied: number
  rebuilt?: number // how far a new file has come
  tail: number
  why: string | null
}

export interface Runner {
  name: string
  slots: number
  busy: number
  since: string
  draining: boolean
  labels: { label: string; executor: string }[]
}

export interface Status {
  version: string
  log: { first: number; durable: number; segments: number; bytes: number; stopped: string | null }
  projections: Projection[]
  runners: Runner[]
  bus?: { dead_letters: number; stalled: number; paused: number }
}
