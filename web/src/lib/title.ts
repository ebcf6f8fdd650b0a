// The name of the page in the browser's tab; of the past it says so.
import { watchEffect } from 'vue'
import { useText } from '@/i18n'
import { useMoment } from './moment'

export function useTitle(title: () => string): void {
  const { t } = useText()
  const { past } = useMoment()
  watchEffect(() => {
    const words = title()
    document.title = [past.value ? t('time.inThePast', { title: words }) : words, t('common.product')]
      .filter(Boolean)
      .join(' · ')
  })
}
