#include "server/routes.h"

#include "server/artifacts_api.h"
#include "server/dispatch_api.h"
#include "server/events_api.h"
#include "server/git_http.h"
#include "server/github_api.h"
#include "server/identity_api.h"
#include "server/logs_api.h"
#include "server/measures_api.h"
#include "server/pages.h"
#include "server/repositories_api.h"
#include "server/runs_api.h"
#include "server/sessions.h"
#include "server/settings_api.h"
#include "server/status_api.h"
#include "server/subscriptions_api.h"
#include "server/summary_api.h"
#include "server/tests_api.h"

namespace headrace::server {

void add_routes(Router& router, Platform& platform, const net::Server& http) {
  add_status_routes(router, platform, http);
  add_measures_route(router, platform, http);
  add_identity_routes(router, platform);
  add_session_routes(router, platform);
  add_page_routes(router);
  add_event_routes(router, platform);
  add_subscription_routes(router, platform);
  add_run_routes(router, platform);
  add_dispatch_routes(router, platform);
  add_log_routes(router, platform);
  add_test_routes(router, platform);
  add_summary_route(router, platform);
  add_settings_routes(router, platform);
  add_artifact_routes(router, platform);
  add_repository_routes(router, platform);
  add_github_routes(router, platform);
  add_git_routes(router, platform);
}

}  // namespace headrace::server
