// How durations, times, sizes and names are written: the one place (docs of the words: README.md, "Words").
// Pure, so the language and the time of now are given.

export type Locale = 'en' | 'zh-CN'

type Unit = 'ms' | 's' | 'min' | 'h' | 'd'
type Width = 'long' | 'short'

const units = {
  en: {
    long: { ms: ' ms', s: ' s', min: ' min', h: ' h', d: ' d' },
    short: { ms: 'ms', s: 's', min: 'm', h: 'h', d: 'd' },
  },
  'zh-CN': {
    long: { ms: ' 毫秒', s: ' 秒', min: ' 分', h: ' 小时', d: ' 天' },
    short: { ms: '毫秒', s: '秒', min: '分', h: '小时', d: '天' },
  },
} satisfies Record<Locale, Record<Width, Record<Unit, string>>>

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

function written(parts: readonly (readonly [number | string, Unit])[], locale: Locale, width: Width): string {
  const joint = locale === 'zh-CN' && width === 'short' ? '' : ' '
  return parts.map(([amount, unit]) => `${amount}${units[locale][width][unit]}`).join(joint)
}

// `850 ms`, `4.2 s`, `1 min 12 s`, `2 h 5 min`, `3 d 4 h`; short, for tables: `850ms`, `4.2s`, `1m 12s`.
export function duration(milliseconds: number, locale: Locale, width: Width = 'long'): string {
  const ms = Math.max(0, Math.round(milliseconds))
  if (ms < 1000) return written([[ms, 'ms']], locale, width)
  if (ms < 9950) return written([[(Math.round(ms / 100) / 10).toFixed(1), 's']], locale, width)
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return written([[seconds, 's']], locale, width)
  if (seconds < 3600) return pair(seconds, 60, 'min', 's', locale, width)
  const minutes = Math.round(seconds / 60)
  if (minutes < 24 * 60) return pair(minutes, 60, 'h', 'min', locale, width)
  return pair(Math.round(minutes / 60), 24, 'd', 'h', locale, width)
}

function pair(amount: number, size: number, large: Unit, small: Unit, locale: Locale, width: Width): string {
  const rest = amount % size
  const first = [Math.floor(amount / size), large] as const
  return written(rest ? [first, [rest, small]] : [first], locale, width)
}

// Of something that still runs: whole seconds, so that the text does not flicker.
export function running(milliseconds: number, locale: Locale): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000))
  return seconds < 60 ? written([[seconds, 's']], locale, 'short') : duration(seconds * 1000, locale, 'short')
}

const ago = {
  en: { now: 'just now', past: (amount: number, unit: 'min' | 'h' | 'd') => `${amount} ${unit} ago` },
  'zh-CN': {
    now: '刚刚',
    past: (amount: number, unit: 'min' | 'h' | 'd') => `${amount} ${{ min: '分钟', h: '小时', d: '天' }[unit]}前`,
  },
} satisfies Record<Locale, unknown>

// "just now", "3 min ago"; after 7 days the date.
export function age(time: Date, now: Date, locale: Locale): string {
  const passed = now.getTime() - time.getTime()
  if (passed < minute) return ago[locale].now
  if (passed < hour) return ago[locale].past(Math.floor(passed / minute), 'min')
  if (passed < day) return ago[locale].past(Math.floor(passed / hour), 'h')
  if (passed < 7 * day) return ago[locale].past(Math.floor(passed / day), 'd')
  return date(time, now, locale)
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const two = (value: number) => String(value).padStart(2, '0')

// "22 Nov", of another year "22 Nov 2025"; 11月22日.
export function date(time: Date, now: Date, locale: Locale): string {
  const year = time.getFullYear() === now.getFullYear() ? '' : time.getFullYear()
  if (locale === 'zh-CN') return `${year ? `${year}年` : ''}${time.getMonth() + 1}月${time.getDate()}日`
  return `${time.getDate()} ${months[time.getMonth()]}${year ? ` ${year}` : ''}`
}

export function clock(time: Date, digits: 0 | 3 = 0): string {
  const seconds = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`
  return digits ? `${seconds}.${String(time.getMilliseconds()).padStart(3, '0')}` : seconds
}

// "22 Nov 14:05:10": a moment that is looked at.
export function moment(time: Date, now: Date, locale: Locale): string {
  return `${date(time, now, locale)} ${clock(time)}`
}

// `2026-11-23 14:05:10.123 +08:00`, in the reader's zone.
export function absolute(time: Date): string {
  const offset = -time.getTimezoneOffset()
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${clock(time, 3)} ${zone}`
}

export function utc(time: Date): string {
  return time.toISOString().replace('T', ' ').replace('Z', ' UTC')
}

export function bytes(count: number, locale: Locale): string {
  const sizes = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let [value, size] = [count, 0]
  while (value >= 1024 && size < sizes.length - 1) [value, size] = [value / 1024, size + 1]
  return `${size === 0 || value >= 100 ? number(Math.round(value), locale) : value.toFixed(1)} ${sizes[size]}`
}

export function number(value: number, locale: Locale): string {
  // Both languages part thousands by a comma. The browser's own formats take 40 ms to be there, while a page is opened.
  if (Number.isSafeInteger(value)) return String(value).replace(/\B(?=(?:\d{3})+$)/g, ',')
  return formatOf(locale, 3).format(value)
}

const formats = new Map<string, Intl.NumberFormat>()
function formatOf(locale: Locale, maximumFractionDigits: number): Intl.NumberFormat {
  const key = `${locale} ${maximumFractionDigits}`
  const known = formats.get(key) ?? new Intl.NumberFormat(locale, { maximumFractionDigits })
  formats.set(key, known)
  return known
}

// A rate or a share: "0.04", "4.2", "1,240"; what is nothing is 0.
export function decimal(value: number, locale: Locale): string {
  const digits = value >= 100 ? 0 : value >= 1 ? 1 : 2
  return formatOf(locale, digits).format(value)
}

export const percent = (part: number, locale: Locale): string => `${decimal(100 * part, locale)} %`

// How long an answer took: below 10 ms with a digit behind the point, "0.4ms". Nothing measured is "–".
export function latency(seconds: number, locale: Locale): string {
  const ms = seconds * 1000
  if (ms <= 0) return '–'
  return ms < 9.95 ? written([[Math.max(0.1, ms).toFixed(1), 'ms']], locale, 'short') : duration(ms, locale, 'short')
}

// "3 of 20 (15 %)"; 20 中的 3 (15 %).
export function share(part: number, whole: number, locale: Locale): string {
  const percent = whole === 0 ? 0 : Math.round((100 * part) / whole)
  const [some, all] = [number(part, locale), number(whole, locale)]
  return locale === 'zh-CN' ? `${all} 中的 ${some} (${percent} %)` : `${some} of ${all} (${percent} %)`
}

export const commit = (id: string): string => id.slice(0, 10)
export const digest = (text: string): string => text.replace(/^(sha256:[0-9a-f]{12})[0-9a-f]+$/, '$1')
// Ids of events begin with their time and look alike; their end tells them apart.
export const eventTail = (id: string): string => (id.length > 8 ? `…${id.slice(-8)}` : id)

// A path or branch loses its middle, never its last part.
export function middle(path: string, most: number): string {
  if (path.length <= most) return path
  const last = path.slice(path.lastIndexOf('/'))
  const room = most - last.length - 1
  return room > 0 ? `${path.slice(0, room)}…${last}` : `…${last.slice(0, most - 1)}`
}

export const firstLine = (text: string): string => text.split('\n', 1)[0]!

// What a reader cannot see and what turns text around, made visible (names, paths, code of others). Joiners stay: emoji
// and several scripts are written with them.
const unseen = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

function shown(character: string): string {
  const code = character.charCodeAt(0)
  return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
}

export const visible = (text: string): string => text.replace(unseen, shown)
// The same of a text of several lines.
export const visibleLines = (text: string): string => text.split('\n').map(visible).join('\n')
// The same of a line of a log or of code, where a tab is a tab.
export const visibleCode = (text: string): string => text.replace(unseen, (c) => (c === '\t' ? c : shown(c)))
