// Before the first paint: the theme and the language that were chosen, else those of the system.
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
})()
