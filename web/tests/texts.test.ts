// Every text is in both languages, with the same places to fill in, and no template has a text of its own.
import { parse } from '@vue/compiler-sfc'
import { describe, expect, it } from 'vitest'
import { pseudo } from './pseudo'

type Tree = { [name: string]: string | Tree }
const files = import.meta.glob<Tree>('../src/locales/*/*.json', { query: '?raw', import: 'default', eager: true })
const sources = import.meta.glob<string>(['../src/**/*.{vue,ts}', '!../src/**/*.test.ts'], {
  query: '?raw',
  import: 'default',
  eager: true,
})

function messagesOf(locale: string): Map<string, string> {
  const messages = new Map<string, string>()
  const walk = (path: string, tree: Tree) => {
    for (const [name, value] of Object.entries(tree))
      if (typeof value === 'string') messages.set(`${path}.${name}`, value)
      else walk(`${path}.${name}`, value)
  }
  for (const [file, text] of Object.entries(files))
    if (file.includes(`/locales/${locale}/`))
      walk(/([^/]+)\.json$/.exec(file)![1]!, JSON.parse(text as unknown as string) as Tree)
  return messages
}
const en = messagesOf('en')
const zh = messagesOf('zh-CN')
const places = (message: string) => [...new Set([...message.matchAll(/\{(\w+)\}/g)].map((match) => match[1]))].sort()

describe('the texts', () => {
  it('have the same keys in both languages', () => expect([...zh.keys()].sort()).toEqual([...en.keys()].sort()))

  it.each([...en])('%s fills in the same things', (key, message) =>
    expect(places(zh.get(key) ?? '')).toEqual(places(message)),
  )

  it('are Chinese in Chinese', () => {
    const same = [...zh].filter(
      ([key, text]) => !/[一-鿿]/.test(text) && /\p{L}/u.test(text.replace(/\{\w+\}/g, '')) && text !== en.get(key),
    )
    expect(same).toEqual([])
    const untranslated = [...zh]
      .filter(([key, text]) => text === en.get(key) && /[a-z]{3}/i.test(text.replace(/\{\w+\}/g, '')))
      .map(([key]) => key)
    expect(untranslated.sort()).toEqual(['common.product', 'frame.palette.keys', 'frame.you.english'])
  })

  it('never say what says nothing', () => {
    for (const [key, text] of en)
      expect(text, key).not.toMatch(/\b(?:successfully|please|oops|something went wrong)\b/i)
  })

  it('in Chinese keep a space between the scripts and full-width punctuation', () => {
    for (const [key, text] of zh) {
      const words = text.replace(/\{\w+\}/g, '')
      expect(words, key).not.toMatch(/[一-鿿][A-Za-z0-9]|[A-Za-z0-9][一-鿿]/)
      expect(words, key).not.toMatch(/[一-鿿][,;:?!]/)
    }
  })

  it('are all used, and all that are used are there', () => {
    const all = Object.values(sources).join('\n')
    const areas = [...new Set([...en.keys()].map((key) => key.split('.')[0]))].join('|')
    const used = new Set(
      [...all.matchAll(new RegExp(`(?:'|keypath=")((?:${areas})(?:\\.\\w+)+)['"]`, 'g'))].map((match) => match[1]!),
    )
    const eventTypes = ['run.admitted']
    expect([...used].filter((key) => !en.has(key) && !eventTypes.includes(key))).toEqual([])
    expect([...en.keys()].filter((key) => !used.has(key))).toEqual([])
  })

  it('grow by two fifths in the pseudo-language and keep what is filled in', () => {
    for (const [key, text] of en) {
      const strange = pseudo(text)
      expect(strange.length, key).toBeGreaterThanOrEqual(Math.floor(text.length * 1.4))
      expect(places(strange), key).toEqual(places(text))
      expect(strange.split(' | ').length, key).toBe(text.split(' | ').length)
    }
  })
})

// Text, and attributes that are read out, stand in the locales.
const read = ['title', 'aria-label', 'placeholder', 'alt', 'label']
const ownNames = new Set(['admin'])
const worded = (text: string) => /\p{L}{2}/u.test(text) && !ownNames.has(text.trim())

interface Ast {
  type: number
  content?: unknown
  children?: Ast[]
  props?: { type: number; name: string; value?: { content: string } }[]
  branches?: Ast[]
}
function bareTexts(node: Ast): string[] {
  const found: string[] = []
  if (node.type === 2 && typeof node.content === 'string' && worded(node.content)) found.push(node.content.trim())
  for (const prop of node.props ?? [])
    if (prop.type === 6 && read.includes(prop.name) && worded(prop.value?.content ?? ''))
      found.push(`${prop.name}="${prop.value!.content}"`)
  for (const child of node.children ?? []) found.push(...bareTexts(child))
  return found
}

describe.each(Object.entries(sources).filter(([file]) => file.endsWith('.vue')))('%s', (file, source) => {
  const template = parse(source).descriptor.template
  it('has no text of its own', () => {
    expect(template, file).not.toBeNull()
    expect(bareTexts(template!.ast as unknown as Ast)).toEqual([])
  })
  it('builds no key from pieces and has no style in its markup', () => {
    expect(template!.content).not.toMatch(/\bt\(`|\bt\([^)]*'\s*\+/)
    expect(template!.content).not.toMatch(/\sstyle="/)
  })
})

it('a bare text would be found', () => {
  const ast = (html: string) => parse(`<template>${html}</template>`).descriptor.template!.ast as unknown as Ast
  expect(bareTexts(ast('<p>Hello</p>'))).toEqual(['Hello'])
  expect(bareTexts(ast('<p v-if="a"><b title="Words">{{ t("x") }}</b></p>'))).toEqual(['title="Words"'])
})
