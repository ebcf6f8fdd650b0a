// Texts by vue-i18n. One language is loaded; its messages were compiled when the pages were built.
import { computed } from 'vue'
import { createI18n } from 'vue-i18n'
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
  plain.clear()
  i18n.global.setLocaleMessage(locale, messages)
  i18n.global.locale.value = locale
  document.documentElement.lang = locale
}

const { t: written, locale } = i18n.global
const shownLocale = computed(() => locale.value as Locale)

// Texts without a place to fill are written once a language: a page of fifty rows asks for the same ones hundreds of times.
const plain = new Map<string, string>()
function write(...asked: Parameters<typeof written>): string {
  if (asked.length > 1) return written(...asked)
  const key = `${locale.value} ${String(asked[0])}`
  const known = plain.get(key)
  if (known !== undefined) return known
  const text = written(...asked)
  plain.set(key, text)
  return text
}

// The translating function with the language as formats want it: the same for every component.
const text = { t: write as typeof written, locale: shownLocale }
export const useText = () => text
