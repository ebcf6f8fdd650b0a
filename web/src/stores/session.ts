// Who looks at the pages.
import { defineStore } from 'pinia'
import { ref } from 'vue'
import { signIn, signOut, whoAmI, type Proof } from '@/api/session'
import type { Account } from '@/api/types'
import { ApiError } from '@/api/client'

export const useSession = defineStore('session', () => {
  const account = ref<Account | null>(null)
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
      if (error instanceof ApiError && error.status === 401) return false
      throw error
    }
  }
  async function enter(proof: Proof): Promise<void> {
    account.value = await signIn(proof)
    expired.value = false
  }
  async function leave(): Promise<void> {
    await signOut()
    account.value = null
  }
  function lost(): void {
    if (account.value) expired.value = true
  }
  return { account, expired, known, enter, leave, lost }
})
