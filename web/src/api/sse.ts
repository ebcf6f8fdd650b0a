// Server-sent events out of bytes (HTML Living Standard, 9.2.6, "Interpreting an event stream").

export interface Message {
  id: string
  event: string
  data: string
}

// Fed with text cut anywhere. A comment, which is what a heartbeat is, gives no message.
export class SseParser {
  private rest = ''
  private data: string[] = []
  private event = ''
  private id = ''
  private skipLineFeed = false

  feed(text: string): Message[] {
    const messages: Message[] = []
    let at = 0
    while (at < text.length) {
      if (this.skipLineFeed && text[at] === '\n') at++
      this.skipLineFeed = false
      const end = breakAfter(text, at)
      this.rest += text.slice(at, end)
      if (end === text.length) break
      this.skipLineFeed = text[end] === '\r'
      at = end + 1
      this.line(this.rest, messages)
      this.rest = ''
    }
    return messages
  }

  private line(line: string, messages: Message[]): void {
    if (line === '') return this.dispatch(messages)
    const colon = line.indexOf(':')
    if (colon === 0) return
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (name === 'data') this.data.push(value)
    else if (name === 'event') this.event = value
    else if (name === 'id' && !value.includes('\0')) this.id = value
  }

  private dispatch(messages: Message[]): void {
    if (this.data.length > 0) messages.push({ id: this.id, event: this.event || 'message', data: this.data.join('\n') })
    this.data = []
    this.event = ''
  }
}

function breakAfter(text: string, from: number): number {
  const feed = text.indexOf('\n', from)
  const end = feed < 0 ? text.length : feed
  const carriage = text.slice(from, end).indexOf('\r')
  return carriage < 0 ? end : from + carriage
}
