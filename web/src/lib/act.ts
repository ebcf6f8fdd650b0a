// What is asked of the platform by a button: one thing at a time, refused beside the button in the server's own words.
import { computed, ref } from 'vue'
import { ApiError } from '@/api/client'
import { useText } from '@/i18n'
import { useConnection } from '@/stores/connection'

export function useAct() {
  const { t } = useText()
  const connection = useConnection()
  const asking = ref('') // which act is asked for
  const refused = ref('')
  const forbidden = computed(() => (connection.state === 'offline' ? t('common.offlineActs') : ''))

  // True: it is done.
  async function ask(act: string, call: () => Promise<unknown>): Promise<boolean> {
    if (forbidden.value || asking.value) return false
    asking.value = act
    refused.value = ''
    try {
      await call()
      return true
    } catch (error) {
      refused.value = t('common.refused', { why: error instanceof ApiError ? error.message : String(error) })
      return false
    } finally {
      asking.value = ''
    }
  }
  return { asking, refused, forbidden, ask }
}
