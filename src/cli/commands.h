// The commands: each takes what the command line said and returns the exit code. command_line.cc calls them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/cli.h"

namespace headrace::cli {

// --- the platform (platform.cc); serve itself is main's to give: cli.h
int serve(Serve options, const std::function<core::Result<>(const Serve&)>& start);
int down(const std::string& data, bool json);
int doctor(const std::string& data, bool json);

struct RunnerProcess {
  std::string server = "http://127.0.0.1:8080";
  std::string socket;
  std::string token_file;
  std::string name = "runner";
  std::string data = "./headrace-runner";
  Labels labels;
  std::string sandbox_network = "own";
  std::string actions_upstream = "https://github.com";
  std::string container_engine;
  std::vector<std::string> container_volumes;
  int64_t slots = 1;
};
int runner(const RunnerProcess& options);

// --- who we are (login.cc)
int login(const std::string& link, bool json);
int git_credential(const std::string& operation);
struct TokenCreate {
  std::string name;
  std::string user;
  std::vector<std::string> scopes;
  int64_t days = 0;  // 0: it does not expire
};
int token_create(const TokenCreate& options, bool json);
int token_list(bool json);
int token_revoke(const std::string& id, bool json);
int user_create(const std::string& name, bool administrator, bool json);
int user_list(bool json);

// --- repositories and runs (repo.cc, run.cc, run_watch.cc)
int repo_create(const std::string& full_name, bool json);
int repo_list(const std::string& at, bool json);
struct RunSelection {
  std::string repository;  // empty: of the remote origin of this folder
  std::string run;         // its id, or number: "7", "#7", "team/hello#7"
  int64_t limit = 30;
  std::string at;
  std::string job;  // key or id; empty: all
  bool failed = false;
  bool force = false;
  std::vector<std::string> inputs;  // NAME=VALUE
  bool summary = false;             // not the run, but what its steps wrote of it
  std::string file;                 // of a workflow to start
  std::string ref;                  // empty: the default branch
  std::string branch, status, actor, event, result, workflow, commit, words;  // of a list; empty: any
};
int run_list(const RunSelection& options, bool json);
int run_start(const RunSelection& options, bool json);
int run_view(const RunSelection& options, bool json);
int run_watch(const RunSelection& options, bool json);
int run_log(const RunSelection& options, bool json);
int run_cancel(const RunSelection& options, bool json);
int run_rerun(const RunSelection& options, bool json);

// --- tests, by their reports (test.cc)
struct TestSelection {
  RunSelection of;   // repository, run, moment
  std::string test;  // its id
  std::string ref;   // empty: of any
  std::string cursor;
  std::string all;  // "true": of every attempt of the run
  int64_t limit = 100;
};
int test_list(const TestSelection& options, bool json);
int test_show(const TestSelection& options, bool json);
int test_flaky(const TestSelection& options, bool json);
int test_slowest(const TestSelection& options, bool json);
// --- what jobs keep (artifact.cc)
struct ArtifactSelection {
  std::string repository;  // empty: of the remote origin of this folder
  std::string artifact;    // its number or name
  std::string run;         // id or number of a run; empty: any
  std::string folder;      // to download to; empty: this one
  std::string at;
  bool zip = false;  // as it is
  int64_t limit = 30;
};
int artifact_list(const ArtifactSelection& options, bool json);
int artifact_download(const ArtifactSelection& options, bool json);
int artifact_delete(const ArtifactSelection& options, bool json);
struct CacheSelection {
  std::string repository;
  std::string key, ref;
  int64_t limit = 30;
};
int cache_list(const CacheSelection& options, bool json);
int cache_delete(const CacheSelection& options, bool json);

// --- secrets and variables of workflows (settings.cc)
struct SettingPlace {
  std::string repository;  // empty: of the remote origin of this folder
  std::string owner;       // not empty: of an owner, not of a repository
  std::string environment;
  std::string file;                   // of a secret's value; empty: the standard input
  std::string visibility = "all";     // of an owner's
  std::vector<std::string> selected;  // repositories that have it, "name" or "owner/name"
};
int secret_set(const SettingPlace& place, const std::string& name, bool json);
int secret_list(const SettingPlace& place, bool json);
int secret_delete(const SettingPlace& place, const std::string& name, bool json);
int variable_set(const SettingPlace& place, const std::string& name, const std::string& value, bool json);
int variable_list(const SettingPlace& place, bool json);
int variable_delete(const SettingPlace& place, const std::string& name, bool json);

// --- events (event.cc, subscription.cc)
struct EventTail {
  std::string filter;
  std::string from = "now";
  int64_t limit = 0;  // 0: without end
};
int event_publish(const std::string& file, const std::string& durability, bool sync, bool json);
int event_tail(const EventTail& options);
int event_show(const std::string& id, bool json);
int event_why(const std::string& id, bool json);
int event_why_not(const std::string& id, bool json);
int event_routes(bool json);
int event_validate(const std::string& file, bool json);
int filter_test(const std::string& expression, const std::string& file, bool json);
struct SubscriptionCreate {
  std::string name, filter, start, order_by, on_dead;
};
int subscription_create(const SubscriptionCreate& options, bool json);
int subscription_list(bool json);
int subscription_show(const std::string& name, bool json);
int subscription_act(const std::string& verb, const std::string& name, const std::string& to, bool json);
int dead_letter_list(const std::string& subscription, bool json);
int dead_letter_show(const std::string& subscription, int64_t offset, bool json);
int dead_letter_act(const std::string& verb, const std::string& subscription, int64_t offset, const std::string& reason,
                    bool json);

// --- workflows, without a server (workflow.cc)
int workflow_check(const std::vector<std::string>& files, bool json);
int workflow_plan(const std::string& file, const std::string& event_file, bool json);
int expression_eval(const std::string& expression, const std::string& contexts_file, bool json);  // expression.cc

// --- the workflows of the folder at hand, without a server (exec.cc)
struct Exec {
  std::string event;                   // empty: push, or what the event file shows
  std::vector<std::string> workflows;  // -W; none: those of the folder
  std::string job;                     // -j; empty: all
  std::string event_file, env_file, secret_file, var_file;
  Labels labels;
  std::vector<std::string> inputs;  // NAME=VALUE
  std::string actor;                // empty: git's user
  std::string sandbox_network = "own";
  std::string actions_upstream = "https://github.com";
  int64_t slots = 0;  // 0: one a core
  bool list = false;
};
// 0 all succeeded; 1 a job failed or was cancelled; 2 wrong usage; 3 nothing could be run
int exec(const Exec& options, bool json);

// --- test reports, without a server (report.cc)
int report_check(const std::vector<std::string>& files, bool json);

// --- on a data folder, without a server (offline.cc)
int log_verify(const std::string& data, bool json);
int log_stat(const std::string& data, bool json);
int log_export(const std::string& data);
int projections_rebuild(const std::string& data, bool verify, bool json);

}  // namespace headrace::cli
