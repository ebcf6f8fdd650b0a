// Words and figures of accounts.
import type { Role } from '@/api/accounts'

export const roleKeys = {
  read: 'settings.users.mayRead',
  write: 'settings.users.mayWrite',
  admin: 'settings.users.mayAdmin',
} satisfies Record<Role, string>

export const linkDays = 7 // that a link for signing in is good for, and what is signed in with it
