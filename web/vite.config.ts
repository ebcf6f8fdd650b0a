import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import vueI18n from '@intlify/unplugin-vue-i18n/vite'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'
import { makePartOf } from './build/parts'
import { policyOf } from './build/policy.mjs'
import { openingScript } from './build/opening_script'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

// In development and in preview the API is a real server's; its token stays in this process.
const server = process.env.HEADRACE_URL ?? 'http://127.0.0.1:8080'
const token = process.env.HEADRACE_TOKEN
const page = path('./dist/index.html')
const built = existsSync(page) ? readFileSync(page, 'utf8') : '' // what `npm run preview` shows
const proxy = {
  '/api': { target: server, changeOrigin: true, ...(token ? { headers: { Authorization: `Bearer ${token}` } } : {}) },
}

export default defineConfig({
  plugins: [
    vue(),
    vueI18n({ include: path('./src/locales/*/*.json'), onlyLocales: ['en', 'zh-CN'], dropMessageCompiler: true }),
    openingScript(),
  ],
  resolve: {
    alias: {
      '@': path('./src'),
      'vue-i18n': 'vue-i18n/dist/vue-i18n.runtime.esm-bundler.js',
    },
  },
  define: {
    __VUE_OPTIONS_API__: 'false',
    __VUE_I18N_LEGACY_API__: 'false',
    __VUE_I18N_FULL_INSTALL__: 'false',
    __INTLIFY_PROD_DEVTOOLS__: 'false',
  },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0, // the content security policy knows no data: addresses
    modulePreload: { polyfill: false },
    cssCodeSplit: false, // 8 KiB more at first, and no page waits for a style
    rollupOptions: { output: { manualChunks: makePartOf() } },
    manifest: true,
  },
  server: { proxy },
  preview: { proxy, headers: { 'Content-Security-Policy': policyOf(built) } },
  test: { environment: 'jsdom', include: ['src/**/*.test.ts', 'tests/**/*.test.ts'], testTimeout: 60_000 },
})
