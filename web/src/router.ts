import {
  START_LOCATION,
  createRouter,
  createWebHistory,
  type RouteLocation,
  type RouteLocationRaw,
  type RouteRecordRaw,
  type RouterHistory,
} from 'vue-router'
import { forgetEarly } from './api/early'
import { reserved } from './reserved'
import HomeView from './views/HomeView.vue'
import RunsView from './views/RunsView.vue'
import { useSession } from './stores/session'

const isReserved = (name: unknown): boolean => (reserved as readonly string[]).includes(String(name))

// No owner has a reserved name, so such an address names nothing.
const nowhere = (to: RouteLocation): RouteLocationRaw => ({
  name: 'nowhere',
  params: { rest: to.path.split('/').slice(1) },
  query: to.query,
  hash: to.hash,
})

export const routes: RouteRecordRaw[] = [
  { path: '/', name: 'home', component: HomeView },
  { path: '/sign-in', name: 'signIn', component: () => import('./views/SignInView.vue'), meta: { open: true } },
  { path: '/runs', name: 'runs', component: RunsView },
  { path: '/events', name: 'events', component: () => import('./views/EventsView.vue'), meta: { fills: true } },
  { path: '/events/at/:offset(\\d+)', name: 'eventAt', component: () => import('./views/EventAtView.vue') },
  { path: '/events/:id', name: 'event', component: () => import('./views/EventView.vue') },
  {
    path: '/subscriptions',
    name: 'subscriptions',
    component: () => import('./views/SubscriptionsView.vue'),
    meta: { nowOnly: true },
  },
  {
    path: '/subscriptions/:name(.+)', // a name may have slashes
    name: 'subscription',
    component: () => import('./views/SubscriptionView.vue'),
    meta: { nowOnly: true },
  },
  {
    path: '/dead-letters',
    name: 'deadLetters',
    component: () => import('./views/DeadLettersView.vue'),
    meta: { nowOnly: true },
  },
  { path: '/status', name: 'status', component: () => import('./views/StatusView.vue'), meta: { nowOnly: true } },
  {
    path: '/settings',
    component: () => import('./views/SettingsView.vue'),
    redirect: (to) => ({ name: 'appearance', query: to.query }),
    children: [
      { path: 'appearance', name: 'appearance', component: () => import('./views/settings/AppearanceSettings.vue') },
      {
        path: 'tokens',
        name: 'tokens',
        component: () => import('./views/settings/TokensSettings.vue'),
        meta: { nowOnly: true },
      },
      {
        path: 'users',
        name: 'users',
        component: () => import('./views/settings/UsersSettings.vue'),
        meta: { nowOnly: true },
      },
    ],
  },
  {
    path: '/:owner/:repo/runs/:run(\\d+)',
    component: () => import('./views/RunView.vue'),
    children: [
      { path: '', name: 'run', component: () => import('./views/run/RunOverview.vue') },
      { path: 'tests', name: 'runTests', component: () => import('./views/run/RunTests.vue') },
      { path: 'artifacts', name: 'runArtifacts', component: () => import('./views/run/RunArtifacts.vue') },
      { path: 'summary', name: 'runSummary', component: () => import('./views/run/RunSummary.vue') },
      { path: 'jobs/:job', name: 'runJob', component: () => import('./views/run/RunJob.vue'), meta: { fills: true } },
    ],
  },
  // The address that GitHub's clients and the statuses of a commit have.
  {
    path: '/:owner/:repo/actions/runs/:run(\\d+)',
    redirect: (to) => ({ name: 'run', params: to.params, query: to.query }),
  },
  {
    path: '/:owner/:repo/runs',
    redirect: (to) => {
      const { owner, repo } = to.params
      return { name: 'runs', params: {}, query: { ...to.query, repo: `${String(owner)}/${String(repo)}` } }
    },
  },
  // Where a branch's name ends in `rest` is told by the names that there are: src/repository/refs.ts.
  {
    path: '/:owner/:repo',
    component: () => import('./views/RepositoryView.vue'),
    children: [
      { path: '', name: 'repository', component: () => import('./views/repository/RepositoryOverview.vue') },
      { path: 'tree/:rest+', name: 'tree', component: () => import('./views/repository/RepositoryTree.vue') },
      { path: 'blob/:rest+', name: 'blob', component: () => import('./views/repository/RepositoryBlob.vue') },
      { path: 'commits/:rest*', name: 'commits', component: () => import('./views/repository/RepositoryCommits.vue') },
      { path: 'commit/:sha', name: 'commit', component: () => import('./views/repository/RepositoryCommit.vue') },
      { path: 'branches', name: 'branches', component: () => import('./views/repository/RepositoryBranches.vue') },
      { path: 'tags', name: 'tags', component: () => import('./views/repository/RepositoryTags.vue') },
    ],
  },
  { path: '/:rest(.*)*', name: 'nowhere', component: () => import('./views/NowhereView.vue'), meta: { open: true } },
]

export function makeRouter(history: RouterHistory = createWebHistory()) {
  const router = createRouter({
    history,
    routes,
    scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? false : { top: 0 }),
  })
  router.afterEach((_to, from) => void (from !== START_LOCATION && forgetEarly()))
  router.beforeEach((to) => (isReserved(to.params.owner) ? nowhere(to) : true))
  // A page need not wait to know who looks: where nobody is signed in, it leads to the door when that is heard.
  router.afterEach(async (to) => {
    if (to.meta.open) return
    const known = await useSession()
      .known()
      .catch(() => true) // what else is wrong, the page says
    if (!known && router.currentRoute.value.fullPath === to.fullPath)
      await router.replace({ name: 'signIn', query: { next: to.fullPath } })
  })
  return router
}
