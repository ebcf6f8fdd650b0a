// Colours of a log outside of the palette, moved until they can be read on the page of the theme; each is computed once.
import { parseHex, readableOn, toHex } from '@/lib/colour'
import type { Theme } from '@/stores/preferences'

const known = new Map<string, string>()

function page(): string {
  return getComputedStyle(document.documentElement).getPropertyValue('--bg-1').trim()
}

function cssOf(colour: string, theme: Theme): string {
  if (!colour.startsWith('#')) return `var(--ansi-${colour})`
  const key = `${theme} ${colour}`
  let css = known.get(key)
  if (css === undefined) known.set(key, (css = toHex(readableOn(parseHex(colour), parseHex(page())))))
  return css
}

// A background fills with its colour and writes in that of the page.
export function colouring(
  style: { foreground?: string | undefined; background?: string | undefined; inverse?: boolean },
  theme: Theme,
) {
  const background = style.inverse ? (style.foreground ?? '0') : style.background
  if (background !== undefined) return { backgroundColor: cssOf(background, theme), color: 'var(--bg-1)' }
  return style.foreground === undefined ? {} : { color: cssOf(style.foreground, theme) }
}
