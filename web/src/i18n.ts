// Texts by vue-i18n. One language is loaded; its messages were compiled when the pages were built.
import { computed } from 'vue'
import { createI18n, useI18n } from 'vue-i18n'
import type { Locale } from '@/lib/format'

type Messages = Record<string, Record<string, unknown>>

const load = {
  en: () => import('./locales/en'),
  'zh-CN': () => import('./locales/zh-CN'),
} satisfies Record<Locale, () => Promise<{ default: unknown }>>

export const i18n = createI18n({
  legacy: false,
  locale: 'en',
  missingWarn: false,
  fallbackWarn: false,
  pluralRules: { 'zh-CN': () => 0 },
})

export async function useLanguage(locale: Locale): Promise<void> {
  const messages = (await load[locale]()).default as Messages
  i18n.global.setLocaleMessage(locale, messages)
  i18n.global.locale.value = locale
  document.documentElement.lang = locale
}

// The translating function with the language as formats want it.
export function useText() {
  const { t, locale } = useI18n({ useScope: 'global' })
  return { t, locale: computed(() => locale.value as Locale) }
}
