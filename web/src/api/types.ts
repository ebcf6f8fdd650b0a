// What the API answers, by the names that the pages use: the schemas of the server's OpenAPI document.
import type { components } from './openapi'

export type Schemas = components['schemas']

export type ErrorCode = Schemas['Error']['error']['code']

export type Annotation = Schemas['Annotation']
export type Step = Schemas['Step']
export type Job = Schemas['Job']
export type Run = Schemas['Run']
export type RunPage = Schemas['RunPage']
export type Ran = Schemas['RunOfBranch']

export type Repository = Schemas['Repository']

export type PlatformEvent = Schemas['Event']
export type EventPage = Schemas['EventPage']
export type Why = Schemas['Why']

export type Outcome = Schemas['Outcome']
export type TestCase = Schemas['TestCase']
export type TestReport = Schemas['TestReport']
export type TestPage = Schemas['TestPage']
export type TestResult = Schemas['TestResult']

export type Artifact = Schemas['Artifact']

export type Account = Schemas['Account']

export type Projection = Schemas['Projection']
export type Runner = Schemas['Runner']
export type Status = Schemas['Status']
