import { createPinia } from 'pinia'
import { createApp } from 'vue'
import { onAnswer, onSignedOut } from './api/client'
import App from './App.vue'
import './base.css'
import { i18n, useLanguage } from './i18n'
import { makeRouter } from './router'
import { useClock } from './stores/clock'
import { usePreferences } from './stores/preferences'
import { useSession } from './stores/session'
import './tokens.css'

const app = createApp(App).use(createPinia()).use(i18n)
onSignedOut(() => useSession().lost())
onAnswer((response) => useClock().told(response.headers.get('Date')))
void useLanguage(usePreferences().locale).then(() => app.use(makeRouter()).mount('#app'))
