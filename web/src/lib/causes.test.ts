import { describe, expect, it } from 'vitest'
import type { PlatformEvent } from '@/api/types'
import { treeOf } from './causes'
import { conclusionOf, factsOf, runOf, shortType } from './events'

const event = (offset: number, cause?: number): PlatformEvent => ({
  offset,
  specversion: '1.0',
  id: `e${offset}`,
  source: '/headrace/x',
  type: 't',
  time: new Date(Date.UTC(2026, 10, 23, 12, 0, 0, offset * 10)).toISOString(),
  ...(cause ? { causationid: `e${cause}` } : {}),
})
const drawn = (lines: ReturnType<typeof treeOf>) =>
  lines.map(
    (line) =>
      `${' '.repeat(line.depth)}${line.event.id} ${line.part} ${line.after}${line.hidden ? ` +${line.hidden}` : ''}`,
  )

describe('causes and effects', () => {
  it('are a tree with its root first, whatever their order in the answer', () => {
    const why = {
      event: event(3, 2),
      causes: [event(1), event(2, 1)],
      effects: [event(6, 4), event(4, 3), event(5, 3)],
      root_found: true,
      truncated: false,
    }
    const expected = [
      'e1 cause null',
      ' e2 cause 10',
      '  e3 this 10',
      '   e4 effect 10',
      '    e6 effect 20',
      '   e5 effect 20',
    ]
    expect(drawn(treeOf(why, new Set()))).toEqual(expected)
    why.causes.reverse()
    expect(drawn(treeOf(why, new Set()))).toEqual(expected)
  })
  it('fold siblings past five, and unfold', () => {
    const why = {
      event: event(1),
      causes: [],
      effects: Array.from({ length: 8 }, (_, n) => event(n + 2, 1)),
      root_found: true,
      truncated: false,
    }
    const folded = treeOf(why, new Set())
    expect([folded.length, folded.at(-1)!.hidden]).toEqual([6, 3])
    expect(treeOf(why, new Set(['e1']))).toHaveLength(9)
  })
  it('that point to each other end', () => {
    const why = {
      event: event(1, 2),
      causes: [event(2, 1)],
      effects: [event(3, 1)],
      root_found: false,
      truncated: false,
    }
    expect(treeOf(why, new Set())).toHaveLength(3)
  })
})

describe('an event', () => {
  it('has a short name', () => {
    expect(shortType('dev.cdevents.pipelinerun.finished.0.3.0')).toBe('pipelinerun.finished')
    expect(shortType('dev.cdeventsx.headrace-job.queued.0.1.0')).toBe('job.queued')
    expect(shortType('com.example.lit')).toBe('com.example.lit')
  })
  it('names its run, wherever it says it', () => {
    const of = (type: string, data: unknown, subject = 's') => runOf({ ...event(1), type, subject, data })
    expect(of('dev.cdevents.pipelinerun.started.0.3.0', {}, 'r')).toBe('r')
    expect(of('dev.cdeventsx.headrace-job.queued.0.1.0', { subject: { content: { run: 'r' } } })).toBe('r')
    expect(of('dev.cdevents.taskrun.started.0.3.0', { subject: { content: { pipelineRun: { id: 'r' } } } })).toBe('r')
    expect(of('dev.cdevents.testsuiterun.finished.0.3.0', { customData: { run: 'r' } })).toBe('r')
    expect(of('com.example.lit', 'text')).toBeUndefined()
  })
  it('is told in a few words', () => {
    const told = {
      ...event(1),
      data: { subject: { content: { pipelineName: 'CI' } }, customData: { repository: 'a/b', conclusion: 'failure' } },
    }
    expect(factsOf(told)).toEqual(['a/b', 'CI'])
    expect(conclusionOf(told)).toBe('failure')
    expect(conclusionOf({ ...told, data: { subject: { content: { outcome: 'error' } } } })).toBe('failure')
    expect(conclusionOf({ ...told, data: { subject: { content: { outcome: 'toString' } } } })).toBeUndefined()
    expect(factsOf({ ...event(1), subject: 'lamp' })).toEqual(['lamp'])
  })
})
