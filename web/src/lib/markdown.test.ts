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
