// The content security policy of a page: scripts are files of ours, and those that stand in it, by their hashes.
import { createHash } from 'node:crypto'

export const inlineScripts = (html) => [...html.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, text]) => text)

export function policyOf(html) {
  const hashes = inlineScripts(html).map((text) => ` 'sha256-${createHash('sha256').update(text).digest('base64')}'`)
  return [
    "default-src 'none'",
    `script-src 'self'${hashes.join('')}`,
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ')
}
