// What the pages know of the platform's events.
import type { PlatformEvent } from '@/api/types'
import { isConclusion, type Conclusion } from '@/status/status'

type Values = Record<string, unknown>

const isValues = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const at = (value: unknown, name: string): unknown => (isValues(value) ? value[name] : undefined)

export const contentOf = (event: PlatformEvent): Values => {
  const content = at(at(event.data, 'subject'), 'content')
  return isValues(content) ? content : {}
}
export const customOf = (event: PlatformEvent): Values => {
  const custom = at(event.data, 'customData')
  return isValues(custom) ? custom : {}
}

// `pipelinerun.finished` of `dev.cdevents.pipelinerun.finished.0.3.0`; of others what their type is.
export const shortType = (type: string): string =>
  type.replace(/^dev\.cdevents(?:x)?\.(?:headrace-)?/, '').replace(/\.\d+\.\d+\.\d+$/, '')

// A dead letter was made, delivered again or discarded.
export const isOfDelivery = (event: PlatformEvent): boolean => shortType(event.type).startsWith('delivery.')

export const text = (value: unknown): string => (typeof value === 'string' ? value : '')

// The UUID of the run that an event is about, if of any.
export function runOf(event: PlatformEvent): string | undefined {
  const type = shortType(event.type)
  if (/^(?:pipelinerun|run)\./.test(type)) return event.subject
  const content = contentOf(event)
  const named = content.run ?? customOf(event).run ?? at(content.pipelineRun, 'id')
  return typeof named === 'string' ? named : undefined
}

// A few words of what it says, in the order in which a reader asks.
const telling = ['repository', 'full_name', 'pipelineName', 'taskName', 'key', 'name', 'ref', 'branch', 'reason']

export function factsOf(event: PlatformEvent): string[] {
  const all = { ...contentOf(event), ...customOf(event) }
  const facts = telling.map((name) => text(all[name])).filter(Boolean)
  if (facts.length === 0 && event.subject) facts.push(event.subject)
  return [...new Set(facts)].slice(0, 4)
}

// CDEvents has words of its own for how something ended.
const outcomes = new Map<string, Conclusion>([
  ['success', 'success'],
  ['failure', 'failure'],
  ['error', 'failure'],
  ['cancel', 'cancelled'],
])

// How what an event tells of has ended, if it has.
export function conclusionOf(event: PlatformEvent): Conclusion | undefined {
  const told = customOf(event).conclusion ?? contentOf(event).conclusion
  return isConclusion(told) ? told : outcomes.get(text(contentOf(event).outcome))
}
