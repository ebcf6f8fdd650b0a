export function inlineScripts(html: string): string[]
export function policyOf(html: string): string
