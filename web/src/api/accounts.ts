// Accounts, their tokens and roles.
import { ask } from './client'
import type { Schemas } from './types'

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
export type Role = Schemas['Role']
export const roles = ['read', 'write', 'admin'] as const satisfies Role[]

export type Token = Schemas['Token']
export type NewToken = Schemas['NewToken']
export type User = Schemas['User']
export type GivenRole = Schemas['GivenRole']

type Signal = AbortSignal | undefined

export const listTokens = async (signal?: Signal): Promise<Token[]> =>
  (await ask('GET', '/api/v1/tokens', { signal })).tokens
export const createToken = (wanted: Schemas['TokenWish']) => ask('POST', '/api/v1/tokens', { body: wanted })
export const revokeToken = (id: string) => ask('DELETE', '/api/v1/tokens/{id}', { path: { id } })

export const listUsers = async (signal?: Signal): Promise<User[]> =>
  (await ask('GET', '/api/v1/users', { signal })).users
export const createUser = (name: string, administrator: boolean) =>
  ask('POST', '/api/v1/users', { body: { name, administrator } })
export const disableUser = (user: string) => ask('POST', '/api/v1/users/{user}/disable', { path: { user } })
export const enableUser = (user: string) => ask('POST', '/api/v1/users/{user}/enable', { path: { user } })
export const listRoles = async (user: string, signal?: Signal): Promise<GivenRole[]> =>
  (await ask('GET', '/api/v1/users/{user}/roles', { path: { user }, signal })).roles
export const grantRole = (user: string, given: GivenRole) =>
  ask('PUT', '/api/v1/users/{user}/role', { path: { user }, body: given })
export const takeRole = (user: string, scope: string) =>
  ask('DELETE', '/api/v1/users/{user}/role', { path: { user }, query: { scope } })

// Write includes read, admin includes all of these; what has none named may do all.
export function includes(has: readonly string[], wanted: string): boolean {
  if (has.includes('admin') || has.includes(wanted)) return true
  return wanted.endsWith(':read') && has.includes(wanted.replace(/:read$/, ':write'))
}
