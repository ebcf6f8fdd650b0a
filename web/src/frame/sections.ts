// The sections of the platform, in the order of the sidebar; the palette and the keys lead to the same ones. `g s` is
// kept for services: the state of the platform is `g p`, subscriptions are `g u`.
import type { IconName } from './FrameIcon.vue'

export interface Section {
  name: string // of its route
  within: readonly string[] // addresses that belong to it
  icon: IconName
  label: string
  goes: string // what leads there, in the palette and the list of keys
  keys: string
}

export const sections: readonly Section[] = [
  { name: 'home', within: ['/'], icon: 'home', label: 'frame.home', goes: 'frame.palette.home', keys: 'g h' },
  { name: 'runs', within: ['/runs'], icon: 'runs', label: 'frame.runs', goes: 'frame.palette.runs', keys: 'g r' },
  {
    name: 'events',
    within: ['/events'],
    icon: 'events',
    label: 'frame.events',
    goes: 'frame.palette.events',
    keys: 'g e',
  },
  {
    name: 'subscriptions',
    within: ['/subscriptions', '/dead-letters'],
    icon: 'subscriptions',
    label: 'frame.subscriptions',
    goes: 'frame.palette.subscriptions',
    keys: 'g u',
  },
  {
    name: 'status',
    within: ['/status'],
    icon: 'status',
    label: 'frame.status',
    goes: 'frame.palette.status',
    keys: 'g p',
  },
]

// Pages of a repository belong to its runs.
export function sectionOf(path: string): string {
  const first = `/${path.split('/')[1] ?? ''}`
  const found = sections.find((section) => section.within.includes(first))
  if (found) return found.name
  return first === '/settings' ? 'settings' : 'runs'
}
