// Before the first paint: theme, density and language that were chosen, else those of the system; and the texts of that
// language, which the pages' own script would ask for only once it runs.
;(function () {
  var root = document.documentElement
  var theme = null
  var locale = null
  var density = null
  try {
    theme = localStorage.getItem('headrace.theme')
    locale = localStorage.getItem('headrace.locale')
    density = localStorage.getItem('headrace.density')
  } catch (error) {
    // Storage is closed to this page; the system decides.
  }
  if (theme !== 'light' && theme !== 'dark')
    theme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
  if (locale !== 'en' && locale !== 'zh-CN') locale = /^zh\b/i.test(navigator.language) ? 'zh-CN' : 'en'
  root.setAttribute('data-theme', theme)
  root.setAttribute('lang', locale)
  if (density === 'compact' || density === 'roomy') root.setAttribute('data-density', density)
  var texts = document.currentScript.getAttribute('data-texts-' + locale.toLowerCase())
  if (!texts) return // in development
  var link = document.createElement('link')
  link.rel = 'modulepreload'
  link.href = texts
  document.head.appendChild(link)
})()
