import { createPinia } from 'pinia'
import { createApp } from 'vue'
import { earlyIsThere } from './api/early'
import App from './App.vue'
import './base.css'
import { i18n, useLanguage } from './i18n'
import { makeRouter } from './router'
import { usePreferences } from './stores/preferences'
import './tokens.css'

const app = createApp(App).use(createPinia()).use(i18n)
void Promise.all([useLanguage(usePreferences().locale), earlyIsThere()]).then(() => app.use(makeRouter()).mount('#app'))
