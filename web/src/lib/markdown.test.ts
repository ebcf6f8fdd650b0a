import { describe, expect, it } from 'vitest'
import { rendered } from './markdown'

describe('markdown of others', () => {
  it('is rendered', () => {
    expect(rendered('# Hi\n\n| a | b |\n|---|---|\n| 1 | 2 |')).toContain('<td>2</td>')
    expect(rendered('[x](https://example.com)')).toContain('href="https://example.com"')
  })
  it.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '<a href="javascript:alert(1)">x</a>',
    '[x](javascript:alert(1))',
    '[x](data:text/html,hi)',
    '<iframe src="https://example.com"></iframe>',
    '<form action="/api/v1/session"><input name="a"></form>',
    '<p style="position:fixed">x</p>',
    '<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>',
    '<style>*{display:none}</style>',
    '<base href="https://example.com">',
    '![x](https://example.com/track.png)',
    '<p id="app" class="frame" name="body">x</p>',
  ])('%s can do nothing', (text) => {
    const html = rendered(text)
    expect(html).not.toMatch(
      /<(?:script|img|iframe|form|input|style|svg|base)|javascript:|data:text|onerror|style=|id=|class=|name=/i,
    )
  })
})

describe('markdown of a repository', () => {
  const around = {
    link: (href: string) => (/^(?:[a-z]+:|#|\/\/)/i.test(href) ? undefined : `/team/shop/blob/main/${href}`),
    image: (src: string) => (/^(?:[a-z]+:|\/\/)/i.test(src) ? undefined : `/api/raw?path=${src}`),
  }
  const html = (text: string) => rendered(text, around)

  it('leads to other files and shows pictures of it', () => {
    expect(html('[guide](docs/guide.md)')).toContain('href="/team/shop/blob/main/docs/guide.md"')
    expect(html('![logo](logo.png)')).toContain('<img src="/api/raw?path=logo.png" alt="logo">')
    expect(html('<img src="logo.png" width="40" onerror="alert(1)">')).toContain(
      '<img src="/api/raw?path=logo.png" width="40" alt="">',
    )
  })
  it('asks nobody else for pictures', () => {
    for (const text of [
      '![x](https://example.com/t.png)',
      '<img src="//example.com/t.png">',
      '<img src="data:image/png,x">',
    ])
      expect(html(text)).not.toMatch(/src=/)
  })
  it('has places of its own within', () => {
    expect(html('## How to *run* it\n\n[there](#how-to-run-it)')).toMatch(
      /id="md-how-to-run-it"[\s\S]*href="#md-how-to-run-it"/,
    )
    expect(html('<h2 id="app">x</h2>')).toContain('id="md-x"')
  })
  it.each([
    '<script>1</script>',
    '<a href="javascript:alert(1)">x</a>',
    '<svg onload=alert(1)>',
    '[x](data:text/html,x)',
  ])('%s can do nothing', (text) => expect(html(text)).not.toMatch(/<(?:script|svg)|javascript:|data:text|onload/i))
})
