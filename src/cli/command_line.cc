// The only file that sees CLI11: names, options, help with an example each, and which command is meant.
#include <CLI/CLI.hpp>
#include <functional>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/output.h"
#include "core/version.h"

namespace headrace::cli {

namespace {

// What the options of all commands are read into; each command has its own, for their defaults differ.
struct Values {
  Serve serving;
  RunnerProcess running;
  Exec executing;
  std::string data = "./headrace-data";
  std::string link = "-", operation, shell;
  TokenCreate token;
  std::string id, name, at, file, durability, reason, expression;
  std::string place = "now";  // to go on from
  bool administrator = false, sync = false, verify = false;
  RunSelection run;
  TestSelection tests;
  SettingPlace settings;
  std::string value;
  ArtifactSelection artifact;
  CacheSelection cache;
  EventTail tail;
  SubscriptionCreate subscription;
  int64_t offset = 0;
  std::vector<std::string> files;
};

// Leaves set what is to be called; nothing runs while the line is still being read.
struct Line {
  Values values;
  CLI::App app{"Headrace: push, build, test and everything that follows, on one event log.", "headrace"};
  std::function<int()> chosen;
  bool json = false;
};

CLI::App* noun(CLI::App& parent, const std::string& name, const std::string& about) {
  auto* command = parent.add_subcommand(name, about);
  command->require_subcommand(1);
  return command;
}

CLI::App* leaf(Line& line, CLI::App& parent, const std::string& name, const std::string& about,
               const std::string& example, std::function<int()> run) {
  auto* command = parent.add_subcommand(name, about);
  command->footer("Example:\n  headrace " + example);
  command->add_flag("--json", line.json, "Print one JSON object");
  command->callback([&line, run = std::move(run)] { line.chosen = run; });
  return command;
}

// LABEL=EXECUTOR, repeated.
void add_labels(CLI::App* command, Labels& labels) {
  std::function<void(const std::vector<std::string>&)> read = [&labels](const std::vector<std::string>& words) {
    for (const auto& word : words) {
      auto equals = word.find('=');
      if (equals == 0 || equals == std::string::npos || equals + 1 == word.size())
        throw CLI::ValidationError("--label", "'" + word + "' is not LABEL=EXECUTOR, as in ubuntu-latest=host");
      labels.emplace_back(word.substr(0, equals), word.substr(equals + 1));
    }
  };
  command
      ->add_option_function("--label", read,
                            "LABEL=EXECUTOR: jobs with this runs-on label run by this executor (sandbox, container, "
                            "host); repeat for more")
      ->type_name("L=EXECUTOR")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void add_sandbox_network(CLI::App* command, std::string& network) {
  command
      ->add_option("--sandbox-network", network,
                   "Network of sandboxed jobs: own (with a way out), host (loopback included), none")
      ->check(CLI::IsMember({"own", "host", "none"}))
      ->capture_default_str();
}

void add_actions_upstream(CLI::App* command, std::string& upstream) {
  command
      ->add_option("--actions-upstream", upstream,
                   "Where actions come from that this server has not: the front of their address, or none")
      ->capture_default_str();
}

void add_containers(CLI::App* command, std::string& engine, std::vector<std::string>& volumes) {
  command->add_option("--container-engine", engine, "podman, docker or a path; where absent, the first that answers");
  command
      ->add_option("--container-volume", volumes,
                   "Folder of this machine that containers of jobs may mount; repeat for more")
      ->type_name("FOLDER")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void add_platform(Line& line, const std::function<core::Result<>(const Serve&)>& start) {
  auto& serving = line.values.serving;
  auto* command =
      leaf(line, line.app, "serve", "Start the platform", "serve --data ./headrace-data --label ubuntu-latest=host",
           [&serving, &start] { return serve(serving, start); });
  command->add_option("--data", serving.data, "Folder that holds everything")->capture_default_str();
  command->add_option("--listen", serving.listen, "Address and port, or unix:PATH")->capture_default_str();
  command->add_option("--url", serving.public_url, "URL by which people reach it, where that is not http://LISTEN");
  command->add_option("--bootstrap-token-file", serving.bootstrap_token_file,
                      "Write an administrator's token there, once");
  command->add_option("--vault-key-file", serving.vault_key_file, "Key of the vault; DATA/vault.key where absent");
  auto* certificate =
      command->add_option("--tls-certificate", serving.tls_certificate, "PEM file: serve https with it");
  auto* key = command->add_option("--tls-key", serving.tls_key, "PEM file of its key");
  certificate->needs(key);
  key->needs(certificate);
  command->add_option("--slots", serving.slots, "Jobs at once on this machine; 0: one a core")
      ->check(CLI::Range(0, 10000));
  command->add_flag("--demo", serving.demo, "On a new folder, make demo/shop: a small program to try things with");
  command->add_flag("--no-runner", serving.no_runner, "Start no runner on this machine");
  add_labels(command, serving.labels);
  add_sandbox_network(command, serving.sandbox_network);
  add_actions_upstream(command, serving.actions_upstream);
  add_containers(command, serving.container_engine, serving.container_volumes);

  auto& data = line.values.data;
  auto* ending = leaf(line, line.app, "down", "Stop everything that serve started on this folder",
                      "down --data ./headrace-data", [&line] { return down(line.values.data, line.json); });
  ending->add_option("--data", data, "Folder that holds everything")->capture_default_str();
  auto* looking = leaf(line, line.app, "doctor", "Look whether this machine has what is needed", "doctor",
                       [&line] { return doctor(line.values.data, line.json); });
  looking->add_option("--data", data, "Folder that holds everything")->capture_default_str();

  auto& running = line.values.running;
  auto* worker =
      leaf(line, line.app, "runner", "Run jobs for a server",
           "runner --server https://headrace.example --token-file token --name builder-1 --label ubuntu-latest=host",
           [&running] { return runner(running); });
  worker->add_option("--server", running.server, "URL of the server")->capture_default_str();
  worker->add_option("--socket", running.socket, "Unix socket to reach it by");
  worker->add_option("--token-file", running.token_file, "File with this runner's token")->required();
  worker->add_option("--name", running.name, "Name of this runner")->capture_default_str();
  worker->add_option("--data", running.data, "Folder for jobs at work")->capture_default_str();
  worker->add_option("--slots", running.slots, "Jobs at once")->check(CLI::Range(1, 10000))->capture_default_str();
  add_labels(worker, running.labels);
  add_sandbox_network(worker, running.sandbox_network);
  add_actions_upstream(worker, running.actions_upstream);
  add_containers(worker, running.container_engine, running.container_volumes);
}

void add_exec(Line& line) {
  auto& wanted = line.values.executing;
  auto* command = leaf(line, line.app, "exec", "Run the workflows of this folder; needs no server",
                       "exec pull_request -j test", [&line] { return exec(line.values.executing, line.json); });
  command->add_option("EVENT", wanted.event,
                      "What has happened: push where absent, pull_request, workflow_dispatch, ...");
  command->add_option("-W,--workflow", wanted.workflows, "A workflow file; those of the folder where absent")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->expected(1);
  command->add_option("-j,--job", wanted.job, "Only this job, and what it needs");
  command->add_option("--event-file", wanted.event_file, "JSON of the event, as a webhook has it");
  command->add_option("--env-file", wanted.env_file, "NAME=value lines: variables of all steps");
  command->add_option("--secret-file", wanted.secret_file,
                      "NAME=value lines: secrets; GITHUB_TOKEN is the jobs' token");
  command->add_option("--var-file", wanted.var_file, "NAME=value lines: the vars context");
  command->add_option("--input", wanted.inputs, "NAME=VALUE of workflow_dispatch, as often as wanted")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->expected(1);
  command->add_option("--actor", wanted.actor, "Who did it; git's user where absent");
  command->add_option("--slots", wanted.slots, "Jobs at once; 0: one a core")->check(CLI::Range(0, 10000));
  command->add_flag("--list", wanted.list, "Only show which jobs there are");
  add_labels(command, wanted.labels);
  add_sandbox_network(command, wanted.sandbox_network);
  add_actions_upstream(command, wanted.actions_upstream);
}

void add_identity(Line& line) {
  auto& values = line.values;
  auto* signing =
      leaf(line, line.app, "login", "Sign in with the one-time link that serve prints, or with a token",
           "login 'http://127.0.0.1:8080/sign-in#...'", [&line] { return login(line.values.link, line.json); });
  signing->add_option("LINK", values.link, "The link; '-' reads a link or token from the standard input");
  auto* helper =
      line.app.add_subcommand("git-credential", "Git credential helper: git asks it for the token kept by login");
  helper->footer("Example:\n  git config --global credential.http://127.0.0.1:8080.helper '!headrace git-credential'");
  helper->add_option("OPERATION", values.operation, "get, store or erase")->required();
  helper->callback([&line] { line.chosen = [&line] { return git_credential(line.values.operation); }; });

  auto* token = noun(line.app, "token", "Access tokens");
  auto& wanted = values.token;
  auto* create =
      leaf(line, *token, "create", "Make a token; it is shown once", "token create laptop --scope repo:write --days 90",
           [&line] { return token_create(line.values.token, line.json); });
  create->add_option("NAME", wanted.name, "What it is for")->required();
  create->add_option("--user", wanted.user, "For this account (administrators); yours where absent");
  create->add_option("--scope", wanted.scopes, "What it may do; all that its account may where absent")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  create->add_option("--days", wanted.days, "Days until it expires; 0: never")->check(CLI::Range(0, 3650));
  leaf(line, *token, "list", "List your tokens", "token list", [&line] { return token_list(line.json); });
  leaf(line, *token, "revoke", "Revoke a token", "token revoke 0193f5e8-...",
       [&line] { return token_revoke(line.values.id, line.json); })
      ->add_option("ID", values.id, "Of the token")
      ->required();

  auto* user = noun(line.app, "user", "Accounts");
  auto* add = leaf(line, *user, "create", "Make an account", "user create alice",
                   [&line] { return user_create(line.values.name, line.values.administrator, line.json); });
  add->add_option("NAME", values.name, "Of the account")->required();
  add->add_flag("--administrator", values.administrator, "May do everything");
  leaf(line, *user, "list", "List accounts", "user list", [&line] { return user_list(line.json); });
}

// --repo, --owner, --env.
void add_place(CLI::App* command, SettingPlace& place) {
  auto* repo =
      command->add_option("--repo", place.repository, "OWNER/NAME; the remote origin of this folder where absent");
  auto* owner = command->add_option("--owner", place.owner, "Of an owner: for its repositories");
  auto* environment = command->add_option("--env", place.environment, "Of this environment of the repository");
  owner->excludes(repo)->excludes(environment);
}

void add_settings(Line& line) {
  auto& values = line.values;
  auto add = [&](CLI::App* parent, const std::string& verb, const std::string& about, const std::string& example,
                 std::function<int()> run) {
    auto* command = leaf(line, *parent, verb, about, example, std::move(run));
    add_place(command, values.settings);
    return command;
  };
  auto add_audience = [&](CLI::App* command) {
    command->add_option("--visibility", values.settings.visibility, "Of an owner's: which repositories have it")
        ->check(CLI::IsMember({"all", "private", "selected"}))
        ->capture_default_str();
    command->add_option("--select", values.settings.selected, "A repository that has it; repeat for more");
  };
  auto* secret = noun(line.app, "secret", "Secrets of workflows");
  auto* set = add(secret, "set", "Set a secret; its value comes from the standard input or a file",
                  "secret set DEPLOY_KEY --repo team/hello --file key.pem",
                  [&line] { return secret_set(line.values.settings, line.values.name, line.json); });
  set->add_option("NAME", values.name, "Letters, digits and _")->required();
  set->add_option("--file", values.settings.file, "File with the value, taken as it is");
  add_audience(set);
  add(secret, "list", "List secrets, without their values", "secret list --repo team/hello --env prod",
      [&line] { return secret_list(line.values.settings, line.json); });
  add(secret, "delete", "Delete a secret", "secret delete DEPLOY_KEY --owner team",
      [&line] { return secret_delete(line.values.settings, line.values.name, line.json); })
      ->add_option("NAME", values.name, "Its name")
      ->required();

  auto* variable = noun(line.app, "variable", "Variables of workflows, for all to see");
  auto* assign = add(variable, "set", "Set a variable", "variable set REGION eu-west --env prod", [&line] {
    return variable_set(line.values.settings, line.values.name, line.values.value, line.json);
  });
  assign->add_option("NAME", values.name, "Letters, digits and _")->required();
  assign->add_option("VALUE", values.value, "Its value")->required();
  add_audience(assign);
  add(variable, "list", "List variables", "variable list --owner team",
      [&line] { return variable_list(line.values.settings, line.json); });
  add(variable, "delete", "Delete a variable", "variable delete REGION --env prod",
      [&line] { return variable_delete(line.values.settings, line.values.name, line.json); })
      ->add_option("NAME", values.name, "Its name")
      ->required();
}

void add_repositories(Line& line) {
  auto* repo = noun(line.app, "repo", "Repositories");
  auto& values = line.values;
  leaf(line, *repo, "create", "Make a repository", "repo create team/hello",
       [&line] { return repo_create(line.values.name, line.json); })
      ->add_option("OWNER/NAME", values.name, "Its full name")
      ->required();
  leaf(line, *repo, "list", "List repositories", "repo list", [&line] {
    return repo_list(line.values.at, line.json);
  })->add_option("--at", values.at, "As it was at this offset or time");
}

void add_artifacts(Line& line) {
  auto* artifact = noun(line.app, "artifact", "What jobs kept for people and other jobs");
  auto& chosen = line.values.artifact;
  auto add = [&](const std::string& name, const std::string& about, const std::string& example,
                 int (*call)(const ArtifactSelection&, bool), bool wants_one) {
    auto* command =
        leaf(line, *artifact, name, about, example, [&line, call] { return call(line.values.artifact, line.json); });
    command->add_option("--repo", chosen.repository, "OWNER/NAME; the remote origin of this folder where absent");
    command->add_option("--run", chosen.run, "Id of a run, or its number (#7); any where absent");
    if (wants_one) command->add_option("ARTIFACT", chosen.artifact, "Its number, or its name: the newest")->required();
    return command;
  };
  auto* list = add("list", "List artifacts, newest first", "artifact list --repo team/hello", artifact_list, false);
  list->add_option("--limit", chosen.limit, "How many")->check(CLI::Range(1, 100))->capture_default_str();
  list->add_option("--at", chosen.at, "As it was at this offset or time");
  auto* download = add("download", "Download an artifact and unpack it", "artifact download binaries --dir out",
                       artifact_download, true);
  download->add_option("--dir", chosen.folder, "Folder to unpack in; this one where absent");
  download->add_flag("--zip", chosen.zip, "Keep it as it is");
  add("delete", "Delete an artifact", "artifact delete 42", artifact_delete, true);
}

void add_caches(Line& line) {
  auto* cache = noun(line.app, "cache", "What jobs kept for jobs like them");
  auto& chosen = line.values.cache;
  auto* list = leaf(line, *cache, "list", "List caches, the last used first", "cache list --repo team/hello",
                    [&line] { return cache_list(line.values.cache, line.json); });
  list->add_option("--key", chosen.key, "How its key begins");
  list->add_option("--limit", chosen.limit, "How many")->check(CLI::Range(1, 100))->capture_default_str();
  auto* remove = leaf(line, *cache, "delete", "Delete the caches of a key", "cache delete deps-linux --repo team/hello",
                      [&line] { return cache_delete(line.values.cache, line.json); });
  remove->add_option("KEY", chosen.key, "In full")->required();
  for (auto* command : {list, remove}) {
    command->add_option("--repo", chosen.repository, "OWNER/NAME; the remote origin of this folder where absent");
    command->add_option("--ref", chosen.ref, "Only of this one: refs/heads/main");
  }
}

void add_runs(Line& line) {
  auto* run = noun(line.app, "run", "Runs of workflows");
  auto& selected = line.values.run;
  auto add = [&](const std::string& name, const std::string& about, const std::string& example,
                 int (*call)(const RunSelection&, bool), bool wants_run) {
    auto* command = leaf(line, *run, name, about, example, [&line, call] { return call(line.values.run, line.json); });
    command->add_option("--repo", selected.repository, "OWNER/NAME; the remote origin of this folder where absent");
    if (wants_run)
      command->add_option("RUN", selected.run, "Its id, or its number (#7, OWNER/NAME#7); the newest where absent");
    return command;
  };
  auto* list = add("list", "List runs, newest first", "run list --repo team/hello", run_list, false);
  list->add_option("--limit", selected.limit, "How many")->check(CLI::Range(1, 1000))->capture_default_str();
  list->add_option("--at", selected.at, "As it was at this offset or time");
  list->add_option("--branch", selected.branch, "Only of this one");
  list->add_option("--actor", selected.actor, "Only of this account");
  list->add_option("--event", selected.event, "Only of this kind: push");
  list->add_option("--workflow", selected.workflow, "Only of this one: its name or file");
  list->add_option("--commit", selected.commit, "Only of commits that begin so: 7 digits or more");
  list->add_option("--result", selected.result, "Only those that came to this")
      ->check(CLI::IsMember({"failed", "passed", "running", "queued", "cancelled", "skipped", "waiting"}));
  list->add_option("-q,--query", selected.words,
                   "Words in title, workflow, repository, branch, actor, commit or number");
  list->add_option("--status", selected.status, "Only those that are so")
      ->check(CLI::IsMember({"queued", "in_progress", "completed"}));
  auto* start = add("start", "Start a workflow that has on: workflow_dispatch", "run start build.yml --ref main",
                    run_start, false);
  start->add_option("FILE", selected.file, "Of the workflow")->required();
  start->add_option("--ref", selected.ref, "Branch or tag; the default branch where absent");
  start->add_option("--input", selected.inputs, "NAME=VALUE, as often as wanted");
  auto* view =
      add("view", "Show a run with its jobs, steps and failed tests", "run view 7 --repo team/hello", run_view, true);
  view->add_option("--at", selected.at, "As it was at this offset or time");
  view->add_flag("--summary", selected.summary, "What its steps wrote to GITHUB_STEP_SUMMARY, as Markdown");
  view->add_option("--job", selected.job, "With --summary: only of this job (key or id)");
  add("watch", "Follow a run live, to its end", "run watch --repo team/hello", run_watch, true);
  add("log", "Print the log of a run, or of one of its jobs", "run log 7 --job build", run_log, true)
      ->add_option("--job", selected.job, "Its key or id");
  add("cancel", "Cancel a run", "run cancel 7", run_cancel, true)
      ->add_flag("--force", selected.force, "At once: what runs is killed, and what is if: always() does not run");
  auto* rerun = add("rerun", "Run again", "run rerun 7 --failed", run_rerun, true);
  rerun->add_flag("--failed", selected.failed, "Only what failed");
  rerun->add_option("--job", selected.job, "Only this job (key or UUID), and what needs it");
}

void add_tests(Line& line) {
  auto* test = noun(line.app, "test", "Tests, by the reports that jobs wrote");
  auto& selected = line.values.tests;
  auto add = [&](const std::string& name, const std::string& about, const std::string& example,
                 int (*call)(const TestSelection&, bool)) {
    auto* command =
        leaf(line, *test, name, about, example, [&line, call] { return call(line.values.tests, line.json); });
    command->add_option("--repo", selected.of.repository, "OWNER/NAME; the remote origin of this folder where absent");
    command->add_option("--at", selected.of.at, "As it was at this offset or time");
    command->add_option("--limit", selected.limit, "How many")->check(CLI::Range(1, 1000))->capture_default_str();
    return command;
  };
  auto cursor = [&](CLI::App* command) { command->add_option("--cursor", selected.cursor, "next of the page before"); };
  auto ref = [&](CLI::App* command) {
    command->add_option("--ref", selected.ref, "Only of this ref, as refs/heads/main");
  };
  auto* list = add("list", "Tests of a run, the bad ones first with their messages", "test list 7", test_list);
  list->add_option("RUN", selected.of.run, "Its id, or its number (#7, OWNER/NAME#7); the newest where absent");
  list->add_flag_callback("--all", [&selected] { selected.all = "true"; }, "Of every attempt, not of the newest alone");
  cursor(list);
  auto* show =
      add("show", "What a test came to, newest first", "test show 1f0c2a9be45d7788 --ref refs/heads/main", test_show);
  show->add_option("ID", selected.test, "Of the test, as test list shows it")->required();
  ref(show);
  cursor(show);
  cursor(add("flaky", "Tests that passed and failed on one tree", "test flaky --repo team/hello", test_flaky));
  ref(add("slowest", "Tests that take longest, by their newest results", "test slowest --limit 10", test_slowest));
}

void add_events(Line& line) {
  auto* event = noun(line.app, "event", "Events: everything that happens");
  auto& values = line.values;
  auto* publish =
      leaf(line, *event, "publish", "Publish a CloudEvent, or a batch of them", "event publish event.json",
           [&line] { return event_publish(line.values.file, line.values.durability, line.values.sync, line.json); });
  publish->add_option("FILE", values.file, "JSON; '-' for the standard input")->required();
  publish->add_option("--durability", values.durability, "disk (default) or memory")
      ->check(CLI::IsMember({"disk", "memory"}));
  publish->add_flag("--sync", values.sync, "Wait for the handlers that asked for it");
  auto& tailing = values.tail;
  auto* tail =
      leaf(line, *event, "tail", "Show events as they happen, one JSON object a line",
           "event tail --filter \"type LIKE 'dev.cdevents.%'\"", [&line] { return event_tail(line.values.tail); });
  tail->add_option("--filter", tailing.filter, "CloudEvents SQL");
  tail->add_option("--from", tailing.from, "now, beginning, an offset or a time")->capture_default_str();
  tail->add_option("--limit", tailing.limit, "End after so many; 0: without end")->check(CLI::NonNegativeNumber);
  leaf(line, *event, "show", "Show one event", "event show 0193f5e8-...",
       [&line] { return event_show(line.values.id, line.json); })
      ->add_option("ID", values.id, "Of the event")
      ->required();
  leaf(line, *event, "why", "What led to an event, and what followed from it", "event why 0193f5e8-...",
       [&line] { return event_why(line.values.id, line.json); })
      ->add_option("ID", values.id, "Of the event")
      ->required();
  leaf(line, *event, "why-not", "Why an event started a workflow, or did not", "event why-not 0193f5e8-...",
       [&line] { return event_why_not(line.values.id, line.json); })
      ->add_option("ID", values.id, "Of the push")
      ->required();
  leaf(line, *event, "routes", "Who hears and says what", "event routes", [&line] { return event_routes(line.json); });
  leaf(line, *event, "validate", "Check a CloudEvent, a batch or a CDEvent; needs no server",
       "event validate event.json", [&line] { return event_validate(line.values.file, line.json); })
      ->add_option("FILE", values.file, "JSON; '-' for the standard input")
      ->required();

  auto* filter = noun(line.app, "filter", "Filters");
  auto* test = leaf(line, *filter, "test", "Evaluate CloudEvents SQL on an event; needs no server",
                    "filter test --cesql \"type = 'x'\" --event event.json",
                    [&line] { return filter_test(line.values.expression, line.values.file, line.json); });
  test->add_option("--cesql", values.expression, "The expression")->required();
  test->add_option("--event", values.file, "JSON; '-' for the standard input")->required();
}

void add_subscriptions(Line& line) {
  auto* subscription = noun(line.app, "subscription", "Who hears what");
  auto& values = line.values;
  auto& wanted = values.subscription;
  auto* create = leaf(line, *subscription, "create", "Make a durable subscription to pull from",
                      "subscription create audit --filter \"source LIKE '/headrace/%'\"",
                      [&line] { return subscription_create(line.values.subscription, line.json); });
  create->add_option("NAME", wanted.name, "Of the subscription")->required();
  create->add_option("--filter", wanted.filter, "CloudEvents SQL");
  create->add_option("--start", wanted.start, "now (default), beginning, an offset or a time");
  create->add_option("--order-by", wanted.order_by, "Attribute whose value is the ordering key");
  create->add_option("--on-dead", wanted.on_dead, "continue (default) or hold")
      ->check(CLI::IsMember({"continue", "hold"}));
  leaf(line, *subscription, "list", "List subscriptions with their measures", "subscription list",
       [&line] { return subscription_list(line.json); });
  leaf(line, *subscription, "show", "Show one: what it waits for, and why", "subscription show pipeline.push",
       [&line] { return subscription_show(line.values.name, line.json); })
      ->add_option("NAME", values.name, "Of the subscription")
      ->required();
  for (const auto& [verb, about] : {std::pair{"pause", "Deliver nothing until resumed"},
                                    {"resume", "Deliver again"},
                                    {"delete", "Delete it, with its cursor"},
                                    {"seek", "Go on from another place"}}) {
    std::string word = verb;
    auto* command = leaf(
        line, *subscription, word, about, "subscription " + word + " audit" + (word == "seek" ? " --to beginning" : ""),
        [&line, word] { return subscription_act(word, line.values.name, line.values.place, line.json); });
    command->add_option("NAME", values.name, "Of the subscription")->required();
    if (word == "seek")
      command->add_option("--to", values.place, "now, beginning, an offset or a time")->capture_default_str();
  }

  auto* letters = noun(line.app, "dead-letter", "Deliveries that were given up");
  leaf(line, *letters, "list", "List them, oldest first", "dead-letter list", [&line] {
    return dead_letter_list(line.values.name, line.json);
  })->add_option("--subscription", values.name, "Only of this one");
  for (const auto& [verb, about] : {std::pair{"show", "Show one, with its event"},
                                    {"replay", "Deliver it again"},
                                    {"discard", "Let it be; later events of its key go on"}}) {
    std::string word = verb;
    auto* command = leaf(line, *letters, word, about, "dead-letter " + word + " audit 1234", [&line, word] {
      const auto& given = line.values;
      return word == "show" ? dead_letter_show(given.name, given.offset, line.json)
                            : dead_letter_act(word, given.name, given.offset, given.reason, line.json);
    });
    command->add_option("SUBSCRIPTION", values.name, "Its name")->required();
    command->add_option("OFFSET", values.offset, "Of the event")->required()->check(CLI::PositiveNumber);
    if (word == "discard") command->add_option("--reason", values.reason, "For the record");
  }
}

void add_expressions(Line& line) {
  auto* expression = noun(line.app, "expression", "Expressions of workflow files");
  auto& values = line.values;
  auto* eval = leaf(line, *expression, "eval", "Evaluate an expression on contexts; needs no server",
                    "expression eval \"startsWith(github.ref, 'refs/tags/')\" --context contexts.json", {});
  auto* text =
      eval->add_option("EXPR", values.expression, "The expression, without ${{ }}; '-' for the standard input");
  eval->add_option("--context", values.file, "JSON object of the contexts' names and values; none where absent");
  eval->allow_extras();  // an expression may begin with a sign: -1
  eval->callback([&line, eval, text] {
    auto rest = eval->remaining();
    std::erase(rest, "--");
    if (rest.size() == 1 && text->empty() && !rest.front().starts_with("--")) {
      line.values.expression = rest.front();
    } else if (!rest.empty()) {
      throw CLI::ExtrasError(rest);
    } else if (text->empty()) {
      throw CLI::RequiredError("EXPR");
    }
    line.chosen = [&line] { return expression_eval(line.values.expression, line.values.file, line.json); };
  });
}

void add_offline(Line& line) {
  auto* workflow = noun(line.app, "workflow", "Workflow files");
  auto& values = line.values;
  leaf(line, *workflow, "check", "Check workflow files; needs no server", "workflow check .github/workflows/*.yml",
       [&line] { return workflow_check(line.values.files, line.json); })
      ->add_option("FILE", values.files, "Workflow files")
      ->required();
  auto* start = leaf(line, *workflow, "run", "Start a workflow that has on: workflow_dispatch",
                     "workflow run build.yml --ref main --input level=high",
                     [&line] { return run_start(line.values.run, line.json); });
  start->add_option("FILE", values.run.file, "Of the workflow")->required();
  start->add_option("--ref", values.run.ref, "Branch or tag; the default branch where absent");
  start->add_option("--input", values.run.inputs, "NAME=VALUE, as often as wanted");
  start->add_option("--repo", values.run.repository, "OWNER/NAME; the remote origin of this folder where absent");
  auto* plan = leaf(line, *workflow, "plan", "Show the jobs that an event would run; needs no server",
                    "workflow plan .github/workflows/ci.yml --event-file push.json",
                    [&line] { return workflow_plan(line.values.files[0], line.values.file, line.json); });
  plan->add_option("FILE", values.files, "The workflow file")->required()->expected(1);
  plan->add_option("--event-file", values.file, "JSON of the event, as a webhook has it; - reads the standard input")
      ->required();

  auto* reports = noun(line.app, "report", "Test reports");
  leaf(line, *reports, "check", "Read JUnit reports and count what is in them; needs no server",
       "report check build/reports/*.xml", [&line] { return report_check(line.values.files, line.json); })
      ->add_option("FILE", values.files, "JUnit XML files")
      ->required();

  auto* log = noun(line.app, "log", "The event log of a data folder, without a server");
  auto add = [&](CLI::App* parent, const std::string& name, const std::string& about, const std::string& example,
                 std::function<int()> run) {
    auto* command = leaf(line, *parent, name, about, example, std::move(run));
    command->add_option("--data", values.data, "Folder that holds everything")->capture_default_str();
    return command;
  };
  add(log, "verify", "Read every byte and say whether it is whole", "log verify --data ./headrace-data",
      [&line] { return log_verify(line.values.data, line.json); });
  add(log, "stat", "Say how large it is", "log stat", [&line] { return log_stat(line.values.data, line.json); });
  add(log, "export", "Print every event, one JSON object a line", "log export > events.jsonl",
      [&line] { return log_export(line.values.data); });
  auto* projections = noun(line.app, "projections", "What is derived from the log, without a server");
  add(projections, "rebuild", "Make them anew from the log", "projections rebuild --verify", [&line] {
    return projections_rebuild(line.values.data, line.values.verify, line.json);
  })->add_flag("--verify", values.verify, "Only compare: 1 if what is there is not equal");
}

void collect(const CLI::App& app, const std::string& place, Words& words) {
  auto& following = words[place];
  for (const auto* option : app.get_options())
    if (!option->get_lnames().empty()) following.push_back("--" + option->get_lnames().front());
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    following.push_back(command->get_name());
    collect(*command, place.empty() ? command->get_name() : place + " " + command->get_name(), words);
  }
}

}  // namespace

Words words_of(const CLI::App& app) {
  Words words;
  collect(app, "", words);
  return words;
}

namespace {

void add_all(Line& line, const std::function<core::Result<>(const Serve&)>& serve) {
  line.app.require_subcommand(1);
  line.app.set_version_flag("--version", std::string("headrace ") + std::string(core::version()));
  line.app.footer("Every command has --help with an example, and --json where it prints a result.");
  add_platform(line, serve);
  add_exec(line);
  add_identity(line);
  add_repositories(line);
  add_settings(line);
  add_runs(line);
  add_tests(line);
  add_artifacts(line);
  add_caches(line);
  add_events(line);
  add_subscriptions(line);
  add_expressions(line);
  add_offline(line);
  auto* completing = line.app.add_subcommand("completion", "Print completion for a shell");
  completing->footer("Example:\n  source <(headrace completion bash)");
  completing->add_option("SHELL", line.values.shell, "bash or zsh")->required()->check(CLI::IsMember({"bash", "zsh"}));
  completing->callback(
      [&line] { line.chosen = [&line] { return print_completion(words_of(line.app), line.values.shell); }; });
}

}  // namespace

Words all_words() {
  Line line;
  add_all(line, {});
  return words_of(line.app);
}

int run(int argc, char** argv, std::function<core::Result<>(const Serve&)> serve) {
  Line line;
  add_all(line, serve);
  try {
    line.app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    bool asked = error.get_exit_code() == 0;  // --help, --version
    line.app.exit(error);
    return asked ? 0 : 2;
  }
  try {
    return line.chosen();
  } catch (const std::exception& error) {
    // An answer that is not of the form this version knows, mostly: of a server of another version, or none of ours.
    core::Error surprise{
        core::Code::unavailable,
        "This went wrong in an unexpected way. Is the server of this version? (" + std::string(error.what()) + ")",
        {}};
    return report(surprise, line.json);
  }
}

}  // namespace headrace::cli
