// The figures that the look promises, computed from tokens.css itself.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { apart, contrast, deuteranopia, parseHex, readableOn, toHex, type Rgb } from '@/lib/colour'

const css = readFileSync('src/tokens.css', 'utf8')
const block = (selector: string) => {
  const start = css.indexOf(`\n${selector} {`)
  return css.slice(start, css.indexOf('\n}', start))
}
const colours = (text: string) =>
  new Map([...text.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, hex]) => [name!, parseHex(hex!)]))

const themes = { light: colours(block(':root')), dark: colours(block(":root[data-theme='dark']")) }
const backgrounds = ['bg-0', 'bg-1', 'bg-2', 'bg-3']
const statuses = ['queued', 'running', 'success', 'failure', 'cancelled', 'skipped', 'waiting', 'past']

describe.each(Object.entries(themes))('tokens, %s', (theme, tokens) => {
  const of = (name: string): Rgb => {
    const colour = tokens.get(name)
    if (!colour) throw new Error(`${theme} has no --${name}`)
    return colour
  }
  const expectReadable = (front: string, back: string, least: number) =>
    expect(contrast(of(front), of(back)), `--${front} on --${back}`).toBeGreaterThanOrEqual(least)

  it.each(['text-1', 'text-2', 'text-3', ...statuses])('%s reads on every background', (role) => {
    for (const background of backgrounds) expectReadable(role, background, 4.5)
  })

  it.each(statuses)('%s reads on its own soft and on that of the past', (status) => {
    expectReadable(status, `${status}-soft`, 4.5)
    expectReadable(status, 'past-soft', 4.5)
  })

  it('links read on every background and on the selected row', () => {
    for (const background of [...backgrounds, 'accent-soft']) expectReadable('accent', background, 4.5)
    expectReadable('on-accent', 'accent', 4.5)
    expectReadable('on-accent', 'accent-hi', 4.5)
    expectReadable('on-danger', 'failure', 4.5)
    for (const match of ['hit', 'hit-now']) expectReadable('text-1', match, 4.5)
  })

  it('rings and borders are seen', () => {
    for (const background of [...backgrounds, 'past-soft']) expectReadable('focus', background, 3)
    for (const background of ['bg-0', 'bg-1', 'bg-2', 'past-soft']) expectReadable('edge', background, 3)
  })

  it.each([1, 2, 3, 4])('series %i of a chart is seen', (number) => {
    expectReadable(`series-${number}`, 'bg-1', 3.8)
  })

  it.each([...Array(16).keys()])('ANSI colour %i reads in the log and on a failed line', (number) => {
    expectReadable(`ansi-${number}`, 'bg-1', 4.5)
    expectReadable(`ansi-${number}`, 'failure-soft', 4.5)
  })

  it.each(['added', 'removed'])('a line that was %s reads, its words and its number', (change) => {
    const code = [2, 3, 4, 5, 6].map((number) => `ansi-${number}`) // the roles of code that have colours
    for (const text of ['text-1', 'text-3', ...code]) expectReadable(text, change, 4.5)
    expectReadable('text-1', `${change}-word`, 4.5)
  })

  it('any other colour of a log is moved until it reads', () => {
    for (const colour of ['#000000', '#ffffff', '#00ff00', '#ffff00', '#0000ff', '#808080'])
      expect(contrast(readableOn(parseHex(colour), of('bg-1')), of('bg-1'))).toBeGreaterThanOrEqual(4.5)
  })

  it('tells passed from failed in deuteranopia', () => {
    const least = theme === 'light' ? 6.9 : 11.7
    const distance = apart(deuteranopia(of('success')), deuteranopia(of('failure')))
    expect(distance).toBeGreaterThanOrEqual(least - 0.05)
  })
})

it('text-3 on bg-3 in the light is the worst of the texts, 4.52', () => {
  expect(contrast(themes.light.get('text-3')!, themes.light.get('bg-3')!)).toBeCloseTo(4.52, 2)
})

it('both themes say the same colours', () => {
  expect([...themes.dark.keys()]).toEqual([...themes.light.keys()])
})

it('no component writes a colour of its own', async () => {
  const files = import.meta.glob('../src/**/*.{vue,css}', { query: '?raw', import: 'default', eager: true })
  for (const [file, text] of Object.entries(files as Record<string, string>)) {
    if (file.endsWith('tokens.css')) continue
    const styles = file.endsWith('.vue')
      ? [...text.matchAll(/<style[^>]*>([\s\S]*?)<\/style>/g)].map((m) => m[1])
      : [text]
    for (const style of styles) expect(style, file).not.toMatch(/#[0-9a-f]{3,8}\b|\brgba?\(/i)
  }
})

it('a colour survives being written', () => {
  expect(toHex(parseHex('#0a6478'))).toBe('#0a6478')
  expect(() => parseHex('red')).toThrow()
})
