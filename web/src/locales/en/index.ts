import common from './common.json'
import deadLetters from './deadLetters.json'
import errors from './errors.json'
import event from './event.json'
import events from './events.json'
import frame from './frame.json'
import home from './home.json'
import log from './log.json'
import repository from './repository.json'
import platform from './platform.json'
import run from './run.json'
import runs from './runs.json'
import settings from './settings.json'
import signIn from './signIn.json'
import status from './status.json'
import subscriptions from './subscriptions.json'
import time from './time.json'
import tries from './tries.json'

export default {
  common,
  deadLetters,
  errors,
  event,
  events,
  frame,
  home,
  log,
  repository,
  platform,
  run,
  runs,
  settings,
  signIn,
  status,
  subscriptions,
  time,
  tries,
}
