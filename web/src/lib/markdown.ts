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

// Where a text stands: what its references lead to, if to something of ours.
export interface Surroundings {
  link(href: string): string | undefined
  image(src: string): string | undefined
}
let around: Surroundings | undefined // of the text at hand; to render it waits for nothing

const slug = (text: string) =>
  text
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-')

const purify = DOMPurify(window)
purify.addHook('afterSanitizeAttributes', (node) => {
  if (node.tagName === 'A') settleLink(node)
  else if (node.tagName === 'IMG') settleImage(node)
  // What may be wider than the page is walked by keys.
  else if (node.tagName === 'PRE' || node.tagName === 'TABLE') node.setAttribute('tabindex', '0')
  // Places within the text have names of their own: none is called like a part of the page.
  else if (around && /^H[1-6]$/.test(node.tagName)) node.id = `md-${slug(node.textContent ?? '')}`
})

function settleLink(node: Element): void {
  const href = node.getAttribute('href') ?? ''
  const ours = around?.link(href)
  node.setAttribute('rel', 'noopener noreferrer nofollow')
  if (ours !== undefined) node.setAttribute('href', ours)
  else if (around && href.startsWith('#')) node.setAttribute('href', `#md-${href.slice(1).toLowerCase()}`)
  else if (!/^(?:https?:|#)/i.test(href)) node.removeAttribute('href')
}

// Elsewhere it would tell who reads; its words stay.
function settleImage(node: Element): void {
  const ours = around?.image(node.getAttribute('src') ?? '')
  if (ours === undefined) node.removeAttribute('src')
  else node.setAttribute('src', ours)
  node.setAttribute('alt', node.getAttribute('alt') ?? '')
}

// An image of others would be asked of wherever it lies; its words and a link to it stand for it.
marked.use({
  gfm: true,
  renderer: {
    image({ href, text }) {
      if (around?.image(href) !== undefined) {
        const image = document.implementation.createHTMLDocument().createElement('img')
        image.setAttribute('src', href)
        image.setAttribute('alt', text)
        return image.outerHTML
      }
      const link = document.createElement('a')
      link.href = href
      link.textContent = text || href
      return link.outerHTML
    },
  },
})

export function rendered(markdown: string, surroundings?: Surroundings): string {
  around = surroundings
  try {
    return purify.sanitize(marked.parse(markdown, { async: false }), {
      ALLOWED_TAGS: around ? [...allowed, 'img'] : allowed,
      ALLOWED_ATTR: [
        ...['href', 'align', 'open', 'start', 'colspan', 'rowspan'],
        ...(around ? ['src', 'alt', 'width', 'height'] : []),
      ],
      ALLOW_DATA_ATTR: false,
    })
  } finally {
    around = undefined
  }
}
