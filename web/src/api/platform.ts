// The state of the platform itself, beside what every page asks (`showStatus`).
import { ask } from './client'

export const storageParts = ['log', 'repositories', 'artifacts', 'logs', 'projections', 'databases', 'other'] as const
export type StoragePart = (typeof storageParts)[number]

export interface Storage {
  measured_at: string
  took_seconds: number
  disk_bytes: number
  free_bytes: number
  parts: { name: StoragePart; bytes: number; files: number }[]
}

export const versionNames = ['headrace', 'git', 'sqlite', 'tls', 'boost', 'compiler', 'kernel'] as const
export type VersionName = (typeof versionNames)[number]

export interface PlatformMeasures {
  time: string
  started_at: string
  uptime_seconds: number
  log: {
    durable: number
    events_written: number
    batches_written: number
    duplicates: number
    pending_bytes: number
    last_sync_seconds: number
  }
  events_per_second: { until: string | null; counts: number[] } // oldest first; the last second ends at `until`
  process: { resident_bytes: number; open_files: number }
  connections: { http: number; websockets: number }
  storage: Storage | null // null: it is being measured for the first time
  versions: Partial<Record<VersionName, string>>
}

export const showMeasures = (signal?: AbortSignal) => ask<PlatformMeasures>('/v1/status/measures', { signal })
