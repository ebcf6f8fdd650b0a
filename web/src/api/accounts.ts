// Accounts, their tokens and roles.
import { ask } from './client'

// `runner` besides, which only an administrator gives, for a machine.
export const scopes = [
  'repo:read',
  'repo:write',
  'run:read',
  'run:write',
  'event:read',
  'event:write',
  'admin',
] as const
export type Scope = (typeof scopes)[number]
export const roles = ['read', 'write', 'admin'] as const
export type Role = (typeof roles)[number]

export interface Token {
  id: string
  name: string
  scopes: string[]
  created_at?: string | null
  expires_at: string | null
  last_used_at: string | null // since the server started
  current?: boolean // what this browser is signed in with
}

export interface NewToken {
  token: string
  id: string
}

export interface User {
  name: string
  id: string
  disabled: boolean
  administrator: boolean
}

export interface GivenRole {
  scope: string // "*", an owner or a repository
  role: Role
}

type Signal = AbortSignal | undefined
const user = (name: string): string => `/v1/users/${encodeURIComponent(name)}`

export const listTokens = async (signal?: Signal): Promise<Token[]> =>
  (await ask<{ tokens: Token[] }>('/v1/tokens', { signal })).tokens
export const createToken = (wanted: { name: string; days: number; scopes?: string[]; user?: string }) =>
  ask<NewToken>('/v1/tokens', { method: 'POST', body: wanted })
export const revokeToken = (id: string) => ask<void>(`/v1/tokens/${encodeURIComponent(id)}`, { method: 'DELETE' })

export const listUsers = async (signal?: Signal): Promise<User[]> =>
  (await ask<{ users: User[] }>('/v1/users', { signal })).users
export const createUser = (name: string, administrator: boolean) =>
  ask<User>('/v1/users', { method: 'POST', body: { name, administrator } })
export const disableUser = (name: string) => ask<void>(`${user(name)}/disable`, { method: 'POST' })
export const enableUser = (name: string) => ask<void>(`${user(name)}/enable`, { method: 'POST' })
export const listRoles = async (name: string, signal?: Signal): Promise<GivenRole[]> =>
  (await ask<{ roles: GivenRole[] }>(`${user(name)}/roles`, { signal })).roles
export const grantRole = (name: string, given: GivenRole) =>
  ask<void>(`${user(name)}/role`, { method: 'PUT', body: given })
export const takeRole = (name: string, scope: string) =>
  ask<void>(`${user(name)}/role`, { method: 'DELETE', query: { scope } })

// Write includes read, admin includes all of these; what has none named may do all.
export function includes(has: readonly string[], wanted: string): boolean {
  if (has.includes('admin') || has.includes(wanted)) return true
  return wanted.endsWith(':read') && has.includes(wanted.replace(/:read$/, ':write'))
}
