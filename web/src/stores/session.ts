// Who looks at the pages.
import { defineStore } from 'pinia'
import { ref, watch } from 'vue'
import { signIn, signOut, whoAmI, type Proof } from '@/api/session'
import type { Account } from '@/api/types'
import { ApiError } from '@/api/client'

// For the script that opens a page: whether to ask for what it shows before anybody knows who looks.
function remember(signedIn: boolean): void {
  try {
    localStorage.setItem('headrace.signedIn', signedIn ? 'yes' : 'no')
  } catch {
    // Storage is closed to this page; it asks later.
  }
}

export const useSession = defineStore('session', () => {
  const account = ref<Account | null>(null)
  watch(account, (now) => remember(now !== null))
  const stuck = ref('') // why signing out was refused
  const expired = ref(false) // somebody was signed in, and the server knows them no more

  let asking: Promise<boolean> | null = null
  // False: somebody must sign in. Anything else that goes wrong is not about who one is.
  function known(): Promise<boolean> {
    if (account.value) return Promise.resolve(true)
    asking ??= ask().finally(() => (asking = null))
    return asking
  }
  async function ask(): Promise<boolean> {
    try {
      account.value = await whoAmI()
      return true
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        remember(false)
        return false
      }
      throw error
    }
  }
  async function enter(proof: Proof): Promise<void> {
    account.value = await signIn(proof)
    expired.value = false
  }
  // False: the server did not take it; one is still signed in.
  async function leave(): Promise<boolean> {
    try {
      await signOut()
      account.value = null
      stuck.value = ''
    } catch (error) {
      stuck.value = error instanceof Error ? error.message : String(error)
    }
    return account.value === null
  }
  function lost(): void {
    if (account.value) expired.value = true
  }
  return { account, expired, stuck, known, enter, leave, lost }
})
