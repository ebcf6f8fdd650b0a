import { describe, expect, it } from 'vitest'
import type { Job } from '@/api/types'
import { layOut } from './graph'
import { countsOf, criticalPath, nodesOf, tookOf } from './plan'

const at = (second: number) => `2026-11-23T12:00:${String(second).padStart(2, '0')}Z`
const job = (key: string, needs: string[], more: Partial<Job> = {}): Job =>
  ({
    key,
    name: key,
    job: key,
    needs,
    matrix: null,
    caller: '',
    status: 'completed',
    conclusion: 'success',
    started_at: at(0),
    completed_at: at(1),
    ...more,
  }) as Job

const jobs = [
  job('build', [], { completed_at: at(12) }),
  job('lint', [], { completed_at: at(3) }),
  job('test (gcc, debug)', ['build', 'lint'], {
    matrix: { cc: 'gcc' },
    conclusion: 'failure',
    started_at: at(13),
    completed_at: at(40),
  }),
  job('test (clang, debug)', ['build', 'lint'], { matrix: { cc: 'clang' }, started_at: at(12), completed_at: at(38) }),
  job('pack', ['test'], { conclusion: 'skipped', started_at: null, completed_at: at(41) }),
]

describe('the plan of a run', () => {
  it('has one node for a matrix, as bad as its worst leg', () => {
    const nodes = nodesOf(jobs)
    expect(nodes.map((node) => [node.id, node.jobs.length, node.needs, node.shown.status])).toEqual([
      ['build', 1, [], 'success'],
      ['lint', 1, [], 'success'],
      ['test', 2, ['build', 'lint'], 'failure'],
      ['pack', 1, ['test'], 'skipped'],
    ])
    expect([...countsOf(nodes[2]!.jobs)]).toEqual([
      ['failure', 1],
      ['success', 1],
    ])
    expect(tookOf(nodes[2]!.jobs)).toEqual({ from: at(12), to: at(40) })
  })

  it('knows what took the time', () => expect([...criticalPath(nodesOf(jobs))]).toEqual(['test', 'build']))

  it('finds needs within a called workflow', () => {
    const called = [
      job('deploy', []),
      job('deploy/check', [], { caller: 'deploy' }),
      job('deploy/go', ['check'], { caller: 'deploy' }),
    ]
    expect(nodesOf(called).map((node) => node.needs)).toEqual([[], ['deploy'], ['deploy/check']])
  })

  it('is laid out left to right without two nodes in one place', () => {
    const graph = layOut(nodesOf(jobs))
    const x = Object.fromEntries(graph.nodes.map((node) => [node.id, node.x]))
    expect(x.build! < x.test! && x.test! < x.pack!).toBe(true)
    expect(new Set(graph.nodes.map((node) => `${node.x} ${node.y}`)).size).toBe(4)
    expect(graph.edges).toHaveLength(3)
  })
})
