import { describe, expect, it } from 'vitest'
import * as format from './format'

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

describe('durations', () => {
  it.each([
    [0, '0 ms', '0 毫秒', '0ms', '0毫秒'],
    [850, '850 ms', '850 毫秒', '850ms', '850毫秒'],
    [4200, '4.2 s', '4.2 秒', '4.2s', '4.2秒'],
    [9960, '10 s', '10 秒', '10s', '10秒'],
    [59_600, '1 min', '1 分', '1m', '1分'],
    [72 * second, '1 min 12 s', '1 分 12 秒', '1m 12s', '1分12秒'],
    [2 * hour + 5 * minute, '2 h 5 min', '2 小时 5 分', '2h 5m', '2小时5分'],
    [day - 1, '1 d', '1 天', '1d', '1天'],
    [3 * day + 4 * hour, '3 d 4 h', '3 天 4 小时', '3d 4h', '3天4小时'],
    [-5, '0 ms', '0 毫秒', '0ms', '0毫秒'],
  ])('%i ms', (ms, en, zh, enShort, zhShort) => {
    expect(format.duration(ms, 'en')).toBe(en)
    expect(format.duration(ms, 'zh-CN')).toBe(zh)
    expect(format.duration(ms, 'en', 'short')).toBe(enShort)
    expect(format.duration(ms, 'zh-CN', 'short')).toBe(zhShort)
  })

  it('of what still runs is in whole seconds', () => {
    expect(format.running(400, 'en')).toBe('0s')
    expect(format.running(4200, 'en')).toBe('4s')
    expect(format.running(72_900, 'zh-CN')).toBe('1分12秒')
  })
})

describe('times', () => {
  const now = new Date(2026, 10, 23, 14, 5, 10)
  const before = (ms: number) => new Date(now.getTime() - ms)

  it.each([
    [10 * second, 'just now', '刚刚'],
    [3 * minute, '3 min ago', '3 分钟前'],
    [5 * hour, '5 h ago', '5 小时前'],
    [6 * day, '6 d ago', '6 天前'],
    [8 * day, '15 Nov', '11月15日'],
    [400 * day, '19 Oct 2025', '2025年10月19日'],
    [-5 * second, 'just now', '刚刚'],
  ])('%i ms ago', (ms, en, zh) => {
    expect(format.age(before(ms), now, 'en')).toBe(en)
    expect(format.age(before(ms), now, 'zh-CN')).toBe(zh)
  })

  it('are whole, with their zone, where they are looked up', () => {
    expect(format.absolute(new Date(2026, 10, 23, 14, 5, 10, 123))).toMatch(/^2026-11-23 14:05:10\.123 [+-]\d\d:\d\d$/)
    expect(format.utc(new Date('2026-11-23T06:05:10.123Z'))).toBe('2026-11-23 06:05:10.123 UTC')
    expect(format.moment(now, now, 'en')).toBe('23 Nov 14:05:10')
  })
})

describe('sizes and shares', () => {
  it.each([
    [0, '0 B'],
    [1023, '1,023 B'],
    [1536, '1.5 KiB'],
    [150 * 1024, '150 KiB'],
    [52.4 * 1024 * 1024, '52.4 MiB'],
  ])('%i bytes', (count, text) => expect(format.bytes(count, 'en')).toBe(text))

  it('a share has its whole', () => {
    expect(format.share(3, 20, 'en')).toBe('3 of 20 (15 %)')
    expect(format.share(3, 20, 'zh-CN')).toBe('20 中的 3 (15 %)')
    expect(format.share(0, 0, 'en')).toBe('0 of 0 (0 %)')
  })
})

describe('names', () => {
  it('are cut where they do not tell', () => {
    expect(format.commit('3fa91c07be12345678')).toBe('3fa91c07be')
    expect(format.digest('sha256:0123456789abcdef')).toBe('sha256:0123456789ab')
    expect(format.eventTail('01938a5c-0000-7000-8000-00009f3c21ab')).toBe('…9f3c21ab')
    expect(format.middle('src/services/pipeline/plan.cc', 20)).toBe('src/service…/plan.cc')
    expect(format.middle('main', 20)).toBe('main')
    expect(format.middle('a/' + 'x'.repeat(40), 10)).toHaveLength(10)
  })

  it('show what would hide or turn', () => {
    expect(format.visible('a\u202eb\u0007c')).toBe('a\\u202eb\\x07c')
    expect(format.visible('正常 👩\u200d👧 text')).toBe('正常 👩\u200d👧 text')
    expect(format.visibleLines('a\nb\tc')).toBe('a\nb\\x09c')
    expect(format.visibleCode('a\tb\u2066c')).toBe('a\tb\\u2066c')
  })
})

describe('rates and latencies', () => {
  it.each([
    [0, '0'],
    [0.042, '0.04'],
    [4.25, '4.3'],
    [1240.4, '1,240'],
  ])('%d is %s', (value, text) => expect(format.decimal(value, 'en')).toBe(text))

  it('a share is in percent', () => expect(format.percent(0.0031, 'en')).toBe('0.31 %'))

  it.each([
    [0, '–', '–'],
    [0.00002, '0.1ms', '0.1毫秒'],
    [0.0004, '0.4ms', '0.4毫秒'],
    [0.0152, '15ms', '15毫秒'],
    [4.2, '4.2s', '4.2秒'],
  ])('%d s is %s', (seconds, en, zh) => {
    expect(format.latency(seconds, 'en')).toBe(en)
    expect(format.latency(seconds, 'zh-CN')).toBe(zh)
  })
})

describe('numbers', () => {
  it('are written as the browser would', () => {
    const some = [
      0,
      7,
      -7,
      999,
      1_000,
      -1_000,
      12_345,
      999_999,
      1_000_000,
      2 ** 53 - 1,
      -(2 ** 40),
      0.5,
      1_234.5678,
      1e21,
    ]
    for (const locale of ['en', 'zh-CN'] as const)
      for (const value of some) expect(format.number(value, locale), String(value)).toBe(value.toLocaleString(locale))
  })
})
