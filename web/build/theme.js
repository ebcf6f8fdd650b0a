// Before the first paint: the theme and the language that were chosen, else those of the system; and the texts of that
// language, which the pages' own script would ask for only once it runs.
;(function () {
  var root = document.documentElement
  var theme = null
  var locale = null
  try {
    theme = localStorage.getItem('headrace.theme')
    locale = localStorage.getItem('headrace.locale')
  } catch (error) {
    // Storage is closed to this page; the system decides.
  }
  if (theme !== 'light' && theme !== 'dark')
    theme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
  if (locale !== 'en' && locale !== 'zh-CN') locale = /^zh\b/i.test(navigator.language) ? 'zh-CN' : 'en'
  root.setAttribute('data-theme', theme)
  root.setAttribute('lang', locale)
  var texts = document.currentScript.getAttribute('data-texts-' + locale.toLowerCase())
  if (!texts) return // in development
  var link = document.createElement('link')
  link.rel = 'modulepreload'
  link.href = texts
  document.head.appendChild(link)
})()
