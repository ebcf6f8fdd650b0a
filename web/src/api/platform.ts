// The state of the platform itself, beside what every page asks (`showStatus`).
import { ask } from './client'
import type { Schemas } from './types'

export type Storage = Schemas['Storage']
export type StoragePart = Storage['parts'][number]['name']
export const storageParts = [
  'log',
  'repositories',
  'artifacts',
  'logs',
  'projections',
  'databases',
  'other',
] as const satisfies StoragePart[]

export type PlatformMeasures = Schemas['PlatformMeasures']
export type VersionName = keyof PlatformMeasures['versions']
export const versionNames = [
  'headrace',
  'git',
  'sqlite',
  'tls',
  'boost',
  'compiler',
  'kernel',
] as const satisfies VersionName[]

export const showMeasures = (signal?: AbortSignal) => ask('GET', '/api/v1/status/measures', { signal })
