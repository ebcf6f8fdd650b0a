// Who is signed in. The session is an HttpOnly cookie that the server sets; nothing of it is kept by the page.
// README.md, "The session", has the contract.
import { ask } from './client'
import type { Account } from './types'

export type Proof = { code: string; user?: string } | { token: string }

export const signIn = (proof: Proof): Promise<Account> => ask('POST', '/api/v1/session', { body: proof })
export const signOut = () => ask('DELETE', '/api/v1/session')
export const whoAmI = (): Promise<Account> => ask('GET', '/api/v1/whoami')

// What somebody pasted: a whole one-time link, its code, or a token.
export function proofOf(text: string, user: string): Proof {
  const pasted = text.trim()
  if (pasted.startsWith('hr_')) return { token: pasted }
  const hash = pasted.indexOf('#')
  const code = hash < 0 ? pasted : pasted.slice(hash + 1)
  return user ? { code, user } : { code }
}
