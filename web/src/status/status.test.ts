import { mount } from '@vue/test-utils'
import { describe, expect, it } from 'vitest'
import StatusIcon from './StatusIcon.vue'
import { isConclusion, shownAs, type Status } from './status'

const statuses: Status[] = ['queued', 'running', 'success', 'failure', 'cancelled', 'skipped', 'waiting', 'past']

describe('a status', () => {
  it('has a silhouette of its own', () => {
    const drawings = statuses.map((status) =>
      mount(StatusIcon, { props: { status } })
        .html()
        .replace(/class="[^"]*"/g, ''),
    )
    expect(new Set(drawings).size).toBe(statuses.length)
  })
  it('is named where it stands alone, and silent beside its word', () => {
    expect(mount(StatusIcon, { props: { status: 'failure', name: 'Failed' } }).attributes()).toMatchObject({
      role: 'img',
      'aria-label': 'Failed',
    })
    expect(mount(StatusIcon, { props: { status: 'failure' } }).attributes('aria-hidden')).toBe('true')
  })
  it.each([
    ['queued', null, 'queued', 'queued'],
    ['waiting', null, 'queued', 'notYet'],
    ['in_progress', null, 'running', 'running'],
    ['completed', 'timed_out', 'failure', 'timedOut'],
    ['completed', 'startup_failure', 'failure', 'couldNotStart'],
    ['completed', 'action_required', 'waiting', 'waiting'],
    ['completed', 'stale', 'skipped', 'outdated'],
    ['completed', null, 'skipped', 'neutral'],
  ] as const)('%s, %s', (state, conclusion, status, word) =>
    expect(shownAs(state, conclusion)).toEqual({ status, word }),
  )
  it('knows the words of the API, and no others', () => {
    expect(isConclusion('timed_out')).toBe(true)
    expect(isConclusion('toString')).toBe(false)
  })
})
