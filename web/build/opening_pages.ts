// What pages want first, by their address: their parts, and what they ask the API as src/api has it, where the address has
// no query. $1 is the first group of `path`.
import { reserved } from '../src/reserved'

export interface OpeningPage {
  path: string // a regular expression
  views: string[] // in src/views
  asks: string[]
}

const repository = `/(?!(?:${reserved.join('|')})/)([^/]+)/([^/]+)`
const home = '/api/v1/repositories/$1/$2'

export const openingPages: OpeningPage[] = [
  { path: '^/(?!sign-in$)', views: [], asks: ['/api/v1/whoami', '/api/v1/repositories?runs=true'] },
  { path: '^/runs$', views: [], asks: ['/api/v1/runs?limit=50'] },
  { path: '^/events$', views: ['EventsView'], asks: ['/api/v1/events?order=newest&limit=100'] },
  {
    path: `^${repository}/runs/(\\d+)$`,
    views: ['RunView', 'run/RunOverview'],
    asks: ['/api/v1/runs/$3', '/api/v1/runs/$3/tests?limit=200'],
  },
  { path: `^${repository}/runs/\\d+/jobs/[^/]+$`, views: ['RunView', 'run/RunJob'], asks: [] },
  {
    path: `^${repository}$`,
    views: ['RepositoryView', 'repository/RepositoryOverview'],
    asks: [home, `${home}/refs`, `${home}/tree/HEAD`],
  },
  {
    path: `^${repository}/tree/`,
    views: ['RepositoryView', 'repository/RepositoryTree'],
    asks: [home, `${home}/refs`],
  },
  {
    path: `^${repository}/blob/`,
    views: ['RepositoryView', 'repository/RepositoryBlob'],
    asks: [home, `${home}/refs`],
  },
]
