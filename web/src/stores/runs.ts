// The list of runs as a projection: pages of it are read, and what is said afterwards is applied.
import type { PlatformEvent, Run } from '@/api/types'
import { contentOf, customOf, shortType, text } from '@/lib/events'
import { fits, type RunFilter } from '@/lib/runFilter'
import type { Conclusion } from '@/status/status'

export class RunsProjection {
  rows: Run[] = [] // newest first
  fresh: Run[] = [] // begun since, waiting to be shown
  private applied = 0

  constructor(private readonly filter: RunFilter) {}

  // A page from the server, older than what is there; all of it fits. `shown`: the offset up to which it shows everything;
  // `since`: what was heard beyond that.
  add(page: Run[], shown = 0, since: PlatformEvent[] = []): void {
    if (this.rows.length === 0) this.applied = Math.max(this.applied, shown)
    const known = new Set([...this.rows, ...this.fresh].map((run) => run.run))
    this.rows.push(...page.filter((run) => !known.has(run.run)))
    for (const event of since) this.act(event)
  }

  // Of the new ones those that fit: which result a run comes to is known only as it goes on.
  get arrivals(): Run[] {
    return this.fresh.filter((run) => fits(run, this.filter))
  }

  showFresh(): void {
    const arrived = this.arrivals
    this.rows.unshift(...arrived)
    this.fresh = this.fresh.filter((run) => !arrived.includes(run))
  }

  // True: something that is shown has changed. What it has, it skips; what the page already told it does not undo.
  apply(event: PlatformEvent): boolean {
    if (event.offset <= this.applied) return false
    this.applied = event.offset
    return this.act(event)
  }

  private act(event: PlatformEvent): boolean {
    switch (shortType(event.type)) {
      case 'pipelinerun.queued':
        return this.queued(event)
      case 'pipelinerun.started':
        return this.change(event, (run) => started(run, event))
      case 'pipelinerun.finished':
        return this.change(event, (run) => finished(run, event))
      case 'run.admitted':
        return this.change(event, (run) => admitted(run))
    }
    return false
  }

  private queued(event: PlatformEvent): boolean {
    const attempt = Number(customOf(event).attempt ?? 1)
    const known = this.find(event.subject)
    if (!known) {
      const run = runOfQueued(event)
      if (fits(run, { ...this.filter, result: '' })) this.fresh.unshift(run)
      return true
    }
    return this.change(event, (run) => attempt > run.attempt && again(run, attempt, event))
  }

  private change(event: PlatformEvent, act: (run: Run) => boolean): boolean {
    const run = this.find(event.subject)
    return run !== undefined && act(run)
  }

  private find(uuid: string | undefined): Run | undefined {
    return this.rows.find((run) => run.run === uuid) ?? this.fresh.find((run) => run.run === uuid)
  }
}

const attemptOf = (event: PlatformEvent, run: Run): number => Number(customOf(event).attempt ?? run.attempt)

function again(run: Run, attempt: number, event: PlatformEvent): boolean {
  const waits = customOf(event).waits === true
  Object.assign(run, {
    attempt,
    waits,
    status: 'queued',
    conclusion: null,
    queued_at: event.time,
    started_at: null,
    completed_at: null,
  })
  return true
}

function started(run: Run, event: PlatformEvent): boolean {
  if (run.status === 'completed' || run.status === 'in_progress' || attemptOf(event, run) < run.attempt) return false
  Object.assign(run, { status: 'in_progress', started_at: event.time })
  return true
}

function finished(run: Run, event: PlatformEvent): boolean {
  if (run.status === 'completed' || attemptOf(event, run) < run.attempt) return false
  const conclusion = text(customOf(event).conclusion) as Conclusion
  Object.assign(run, { status: 'completed', conclusion, completed_at: event.time })
  return true
}

function admitted(run: Run): boolean {
  const waited = run.waits
  run.waits = false
  return waited
}

function runOfQueued(event: PlatformEvent): Run {
  const custom = customOf(event)
  return {
    id: Number(custom.id),
    run: event.subject ?? '',
    number: Number(custom.number),
    attempt: Number(custom.attempt ?? 1),
    repository: text(custom.repository),
    workflow: text(contentOf(event).pipelineName),
    workflow_file: text(custom.workflow_file),
    event: text(custom.event),
    ref: text(custom.ref),
    branch: text(custom.branch),
    commit: text(custom.commit),
    actor: text(custom.actor),
    title: text(custom.title),
    status: 'queued',
    conclusion: null,
    errors: '',
    waits: custom.waits === true,
    group: text(custom.group),
    url: '',
    created_at: event.time,
    queued_at: event.time,
    started_at: null,
    completed_at: null,
    jobs: [],
  }
}
