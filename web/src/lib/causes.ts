// Why an event happened and what came of it, as lines of an indented tree.
import type { PlatformEvent, Why } from '@/api/types'

export interface TreeLine {
  event: PlatformEvent
  depth: number
  part: 'cause' | 'this' | 'effect'
  after: number | null // milliseconds after its cause
  hidden: number // siblings that follow and are folded away
}

const siblingsMost = 5

export function treeOf(why: Why, unfolded: ReadonlySet<string>): TreeLine[] {
  const all = new Map([...why.causes, why.event, ...why.effects].map((event) => [event.id, event]))
  const chain = chainOf(why.event, all)
  const lines: TreeLine[] = chain.map((event, depth) =>
    lineOf(event, depth, event.id === why.event.id ? 'this' : 'cause', all),
  )
  const children = new Map<string, PlatformEvent[]>()
  for (const effect of why.effects) {
    const cause = effect.causationid ?? why.event.id
    children.set(cause, [...(children.get(cause) ?? []), effect])
  }
  addEffects(lines, why.event.id, chain.length, children, all, unfolded)
  return lines
}

// From the root down to the event itself.
function chainOf(event: PlatformEvent, all: Map<string, PlatformEvent>): PlatformEvent[] {
  const chain = [event]
  for (let at = event; at.causationid;) {
    const cause = all.get(at.causationid)
    if (!cause || chain.includes(cause)) break
    chain.unshift(cause)
    at = cause
  }
  return chain
}

function addEffects(
  lines: TreeLine[],
  cause: string,
  depth: number,
  children: Map<string, PlatformEvent[]>,
  all: Map<string, PlatformEvent>,
  unfolded: ReadonlySet<string>,
): void {
  const effects = [...(children.get(cause) ?? [])].sort((a, b) => a.offset - b.offset)
  children.delete(cause) // once each
  const shown = unfolded.has(cause) ? effects : effects.slice(0, siblingsMost)
  for (const effect of shown) {
    lines.push(lineOf(effect, depth, 'effect', all))
    addEffects(lines, effect.id, depth + 1, children, all, unfolded)
  }
  const last = lines.at(-1)
  if (effects.length > shown.length && last) last.hidden = effects.length - shown.length
}

function lineOf(
  event: PlatformEvent,
  depth: number,
  part: TreeLine['part'],
  all: Map<string, PlatformEvent>,
): TreeLine {
  const cause = event.causationid ? all.get(event.causationid) : undefined
  const after = cause ? Date.parse(event.time) - Date.parse(cause.time) : null
  return { event, depth, part, after, hidden: 0 }
}
