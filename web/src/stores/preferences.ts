// What one set for oneself, kept by the browser.
import { defineStore } from 'pinia'
import { computed, ref, watch } from 'vue'
import { useLanguage } from '@/i18n'
import type { Locale } from '@/lib/format'
import { tries, type Done } from '@/tries/tries'

export type Theme = 'light' | 'dark'
export type ThemeChoice = Theme | 'system'
export type Density = 'compact' | 'normal' | 'roomy'
export type LogTimes = 'off' | 'clock' | 'elapsed'

// As tokens.css has them: rows that are placed by scripts are of the same height.
const rowHeights = { compact: 28, normal: 32, roomy: 40 } satisfies Record<Density, number>
const lineHeights = { compact: 18, normal: 20, roomy: 22 } satisfies Record<Density, number>

const read = (name: string): string | null => {
  try {
    return localStorage.getItem(`headrace.${name}`)
  } catch {
    return null // storage is closed to this page
  }
}
const keep = (name: string, value: string): void => {
  try {
    localStorage.setItem(`headrace.${name}`, value)
  } catch {
    // It holds until the page is left.
  }
}

const oneOf = <T extends string>(allowed: readonly T[], value: string | null | undefined, otherwise: T): T =>
  allowed.includes(value as T) ? (value as T) : otherwise

const doneOf = (kept: string | null): Done =>
  Object.fromEntries(tries.filter((one) => kept?.split(' ').includes(one)).map((one) => [one, true]))

export const usePreferences = defineStore('preferences', () => {
  const root = document.documentElement
  const dark = globalThis.matchMedia?.('(prefers-color-scheme: dark)')
  const systemTheme = ref<Theme>(dark?.matches ? 'dark' : 'light')
  dark?.addEventListener('change', () => (systemTheme.value = dark.matches ? 'dark' : 'light'))
  const themeChoice = ref<ThemeChoice>(oneOf(['light', 'dark'], read('theme'), 'system'))
  const theme = computed<Theme>({
    get: () => (themeChoice.value === 'system' ? systemTheme.value : themeChoice.value),
    set: (value) => (themeChoice.value = value),
  })
  const density = ref<Density>(oneOf(['compact', 'normal', 'roomy'], read('density'), 'normal'))
  const locale = ref<Locale>(oneOf(['en', 'zh-CN'], root.lang, 'en'))
  const logTimes = ref<LogTimes>(oneOf(['off', 'clock', 'elapsed'], read('logTimes'), 'off'))
  const letterKeys = ref(read('letterKeys') !== 'off')
  const folded = ref(read('sidebar') === 'folded')
  const tried = ref<Done>(doneOf(read('tried')))
  const tryingFolded = ref(read('trying') === 'folded')
  const rowHeight = computed(() => rowHeights[density.value])
  const lineHeight = computed(() => lineHeights[density.value])

  watch(theme, (value) => (root.dataset.theme = value))
  watch(themeChoice, (value) => keep('theme', value))
  watch(density, (value) => {
    root.dataset.density = value
    keep('density', value)
  })
  // Paper is light, and outlives an age.
  const printing = ref(false)
  addEventListener('beforeprint', () => {
    root.dataset.theme = 'light'
    printing.value = true
  })
  addEventListener('afterprint', () => {
    root.dataset.theme = theme.value
    printing.value = false
  })
  watch(logTimes, (value) => keep('logTimes', value))
  watch(letterKeys, (value) => keep('letterKeys', value ? 'on' : 'off'))
  watch(folded, (value) => keep('sidebar', value ? 'folded' : 'open'))
  watch(tried, (value) => keep('tried', Object.keys(value).join(' ')))
  watch(tryingFolded, (value) => keep('trying', value ? 'folded' : 'open'))

  async function speak(value: Locale): Promise<void> {
    await useLanguage(value)
    locale.value = value
    keep('locale', value)
  }

  return {
    theme,
    themeChoice,
    density,
    rowHeight,
    lineHeight,
    locale,
    logTimes,
    letterKeys,
    folded,
    tried,
    tryingFolded,
    printing,
    speak,
  }
})
