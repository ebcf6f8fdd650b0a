import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vite'

const source = fileURLToPath(new URL('./theme.js', import.meta.url))

// The script that sets the theme before the first paint, and asks for the texts of the language before the pages' own
// script is there to want them. It blocks, so it is a file of its own: the content security policy forbids inline scripts,
// and a module would run too late.
export function themeScript(): Plugin {
  let reference: string | undefined
  let serving = false
  return {
    name: 'headrace-theme-script',
    configResolved(config) {
      serving = config.command === 'serve'
    },
    buildStart() {
      if (!serving) reference = this.emitFile({ type: 'asset', name: 'theme.js', source: readFileSync(source, 'utf8') })
    },
    configureServer(server) {
      server.middlewares.use('/theme.js', (_request, response) => {
        response.setHeader('Content-Type', 'text/javascript')
        response.end(readFileSync(source))
      })
    },
    transformIndexHtml: {
      order: 'post',
      handler(_html, context) {
        const built = Object.keys(context.bundle ?? {}).find((name) => /theme-[\w-]+\.js$/.test(name))
        if (reference !== undefined && !built) throw new Error('The theme script is missing in the bundle.')
        const texts = Object.values(context.bundle ?? {}).flatMap((file) => {
          const locale = file.type === 'chunk' && /\/locales\/([\w-]+)\/index\.ts$/.exec(file.facadeModuleId ?? '')
          return locale ? [[`data-texts-${locale[1]!.toLowerCase()}`, `/${file.fileName}`] as const] : []
        })
        const attrs = { src: `/${built ?? 'theme.js'}`, ...Object.fromEntries(texts) }
        return [{ tag: 'script', attrs, injectTo: 'head-prepend' }]
      },
    },
  }
}
