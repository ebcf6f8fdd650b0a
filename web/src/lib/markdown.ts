// Markdown to HTML that may stand in a page: no script, style, form, frame, nothing that asks another server by itself.
import DOMPurify from 'dompurify'
import { marked } from 'marked'

const allowed = [
  'a',
  'b',
  'blockquote',
  'br',
  'code',
  'dd',
  'del',
  'details',
  'div',
  'dl',
  'dt',
  'em',
  'h1',
  'h2',
  'h3',
  'h4',
  'h5',
  'h6',
  'hr',
  'i',
  'ins',
  'kbd',
  'li',
  'ol',
  'p',
  'pre',
  's',
  'samp',
  'span',
  'strong',
  'sub',
  'summary',
  'sup',
  'table',
  'tbody',
  'td',
  'th',
  'thead',
  'tr',
  'u',
  'ul',
]

const purify = DOMPurify(window)
purify.addHook('afterSanitizeAttributes', (node) => {
  if (node.tagName !== 'A') return
  node.setAttribute('rel', 'noopener noreferrer nofollow')
  if (!/^(?:https?:|#)/i.test(node.getAttribute('href') ?? '')) node.removeAttribute('href')
})

// An image would be asked of wherever it lies; its words and a link to it stand for it.
marked.use({
  gfm: true,
  renderer: {
    image({ href, text }) {
      const link = document.createElement('a')
      link.href = href
      link.textContent = text || href
      return link.outerHTML
    },
  },
})

export function rendered(markdown: string): string {
  const html = marked.parse(markdown, { async: false })
  return purify.sanitize(html, {
    ALLOWED_TAGS: allowed,
    ALLOWED_ATTR: ['href', 'align', 'open', 'start', 'colspan', 'rowspan'],
    ALLOW_DATA_ATTR: false,
  })
}
