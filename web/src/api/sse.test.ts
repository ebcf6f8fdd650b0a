import { describe, expect, it } from 'vitest'
import { SseParser, type Message } from './sse'

const stream = ': hello\nid: 7\ndata: {"a":1}\n\nevent: log\r\ndata: one\r\ndata: two\r\n\r\n:\n\ndata\n\n'
const expected: Message[] = [
  { id: '7', event: 'message', data: '{"a":1}' },
  { id: '7', event: 'log', data: 'one\ntwo' },
  { id: '7', event: 'message', data: '' },
]

describe('server-sent events', () => {
  it('are read whole', () => expect(new SseParser().feed(stream)).toEqual(expected))

  it('are read however they are cut', () => {
    for (let size = 1; size < 9; size++) {
      const parser = new SseParser()
      const heard: Message[] = []
      for (let at = 0; at < stream.length; at += size) heard.push(...parser.feed(stream.slice(at, at + size)))
      expect(heard, `in pieces of ${size}`).toEqual(expected)
    }
  })

  it('that are not whole are none', () => expect(new SseParser().feed('data: x\n')).toEqual([]))
})
