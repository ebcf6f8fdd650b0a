import { describe, expect, it } from 'vitest'
import { coloured, piecesOf } from './highlight'
import { languageOf, languages, type Language } from './languages'

const text = (lines: { text: string }[][]) => lines.map((line) => line.map((piece) => piece.text).join('')).join('\n')

describe('colours', () => {
  it('give each piece the role of the innermost name that has one, on each of its lines', () => {
    const lines = piecesOf(
      '<span class="hljs-comment">/* a\n b */</span> x <span class="hljs-title function_">f</span>(',
    )
    expect(lines).toEqual([
      [{ text: '/* a', role: 'comment' }],
      [
        { text: ' b */', role: 'comment' },
        { text: ' x ', role: undefined },
        { text: 'f', role: 'function' },
        { text: '(', role: undefined },
      ],
    ])
  })

  it('keep every character of the source', async () => {
    const source = 'int main() {\n\treturn "a<b>&amp;\'" == 1; // <script>\n}\r\n\n'
    expect(text(await coloured(source, 'cpp'))).toBe(source)
    const page = '<p title="&quot;">\n<script>let a = `x`</script>\n'
    expect(text(await coloured(page, 'xml'))).toBe(page)
  })

  it('know every language that they name', async () => {
    for (const name of Object.keys(languages) as Language[])
      expect(text(await coloured('a\nb', name)), name).toBe('a\nb')
  })

  it.each([
    ['src/cart.cc', '', 'cpp'],
    ['CMakeLists.txt', '', 'cmake'],
    ['a/Makefile', '', 'makefile'],
    ['run', '#!/usr/bin/env bash\n', 'bash'],
    ['run', '#!/usr/bin/python3\n', 'python'],
    ['constructor', '', undefined],
    ['notes.txt', 'plain', undefined],
  ])('%s is %s%s', (path, first, language) => expect(languageOf(path, first)).toBe(language))
})
