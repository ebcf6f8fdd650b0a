// Before the pages' own script is there. Before the first paint: theme, density and language that were chosen, else those of
// the system. And what that script will want of this address, asked for at once: the texts of the language, the parts of the
// page (opening_pages.ts), and the answers that it shows, which src/api/early.ts takes.
;(function (first) {
  const root = document.documentElement
  let theme = null
  let locale = null
  let density = null
  let signedIn = false
  try {
    theme = localStorage.getItem('headrace.theme')
    locale = localStorage.getItem('headrace.locale')
    density = localStorage.getItem('headrace.density')
    signedIn = localStorage.getItem('headrace.signedIn') === 'yes'
  } catch (error) {
    // Storage is closed to this page; the system decides.
  }
  if (theme !== 'light' && theme !== 'dark')
    theme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
  if (locale !== 'en' && locale !== 'zh-CN') locale = /^zh\b/i.test(navigator.language) ? 'zh-CN' : 'en'
  root.setAttribute('data-theme', theme)
  root.setAttribute('lang', locale)
  if (density === 'compact' || density === 'roomy') root.setAttribute('data-density', density)

  function preload(address) {
    const link = document.createElement('link')
    link.rel = address.endsWith('.css') ? 'preload' : 'modulepreload'
    if (link.rel === 'preload') link.as = 'style'
    link.crossOrigin = '' // as the pages' own links are
    link.href = address
    document.head.appendChild(link)
  }
  if (first.texts[locale]) preload(first.texts[locale])

  const answers = (window.headraceEarly = {})
  for (const page of first.pages) {
    const parts = new RegExp(page.path).exec(location.pathname)
    if (!parts) continue
    page.files.forEach(preload)
    if (location.search || !signedIn) continue // another moment, a filter; or all would be refused
    for (const asked of page.asks) {
      const address = asked.replace(/\$(\d)/g, (_, part) => parts[part])
      answers[address] = fetch(address, {
        headers: { 'X-Requested-With': 'headrace-web' },
        credentials: 'same-origin',
      }).then((response) => response.text().then((text) => ({ response, text })))
      answers[address].catch(() => {}) // who takes it is told
    }
  }
})(FIRST)
