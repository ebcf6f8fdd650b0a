// docs/workflow-syntax.md is made from the grammar: a property that is added or learned shows up there.
// UPDATE_GOLDEN=1 rewrites the page.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "workflow/schema.h"
#include "workflow/workflow.h"

namespace headrace::workflow {
namespace {

constexpr const char* page_path = "docs/workflow-syntax.md";

constexpr std::string_view introduction = R"(# Workflow syntax, line by line

Every property of GitHub's workflow files, and what Headrace does with it. This page is made from the grammar that the
reader follows (`src/workflow/schema*.cc`); a test compares the two.

- **yes**: read, checked and run as GitHub documents it.
- **listed**: read and checked; `headrace workflow check` lists it as `unsupported`, and a run that needs it is refused
  before any job starts. It is never run otherwise than written.
- **ours**: an addition of Headrace.

*Expressions* names the contexts and functions that `${{ }}` may use there; "-" means that no expression may stand there.
Errors begin with the words that GitHub uses, with line and column, and say what would be right.

)";

constexpr std::string_view rules = R"(
## What starts a workflow here

Every event of the table above is read and checked. These start runs ([runs](runs.md) says which commit runs, and what
`github.event` holds); the others wait for services that Headrace does not have yet, and nothing starts them.

| event | started by |
|---|---|
| `push`, `create`, `delete` | a push |
| `workflow_dispatch` | `headrace workflow run`, `POST /api/v3/repos/OWNER/NAME/actions/workflows/FILE/dispatches` |
| `repository_dispatch` | `POST /api/v3/repos/OWNER/NAME/dispatches` |
| `schedule` | the clock |
| `workflow_run` | runs of the repository |
| `event` (ours) | any event of the log that the filter matches |
| `workflow_call` | a job with `uses` |
| `pull_request`, `pull_request_target` | `change.created`, `.updated`, `.merged` and `.abandoned` under `/headrace/`: no service says them yet |
| `merge_group` | `queue.entered`: no service says it yet |
| `issues` | `ticket.created`, `.updated` and `.closed` under `/headrace/`: no service says them yet |
| `release`, `issue_comment`, `pull_request_review`, `pull_request_review_comment` | nothing yet |

## Rules that a table does not show

| rule | as GitHub |
|---|---|
| `branches`, `tags`, `paths` and their `-ignore`: `*`, `**`, `?`, `+`, `[]`, `!`, `\` | yes; both of a pair for one event are accepted with a warning, and both must let it pass |
| `if` without a status function counts as `success() && (...)`; `success()` and `failure()` of a job ask all ancestors | yes |
| `matrix`: product, then `exclude`, then `include`; from `fromJSON`; at most 256 legs | yes |
| a job's name: the leg's values in brackets where `name` holds no expression | yes |
| `paths`: a push compares its two ends, a new branch with the parent of its first new commit, a change with where it left its base; the first 300 files; a push of more than 1,000 commits passes | yes |
| more than three tags in one push start nothing; `[skip ci]`, `[ci skip]`, `[no ci]`, `[skip actions]`, `[actions skip]`, `skip-checks: true` | yes |
| `on.push.each-commit: true`: each of the newest 20 commits of a push runs besides its head | ours |
| `runs-on` that an expression leaves empty is `ubuntu-latest` | ours: GitHub fails the job |
| called workflows: `./`, `$/`, `OWNER/NAME/...@REF` of this server; ten levels, 50 files; inputs typed; `secrets: inherit` or by name; permissions only narrowed | yes |
| a secret passed on by name may use other contexts only as plain properties (`github.ref`) | narrower: GitHub takes any expression |
| `schedule`: five fields in UTC, names of months and days, no `@daily`; at most every five minutes; the default branch | yes; `timezone` other than UTC is listed; missed ticks run once |
| `workflow_run`: at most three levels behind the first run | yes; `event` has the same bound |
| YAML 1.2: anchors, aliases, merge keys, under a budget of 50,000 values and 64 levels; 512 KiB | GitHub reads anchors, and no merge keys |
| one document a file; keys differ by more than case | yes |
| duplicate keys, unknown keys, missing keys, wrong kinds, unknown contexts and functions, unknown needs and cycles | errors, as there |
| foreign text (`github.event.pull_request.title`, `github.head_ref`, ...) in `run` or in the script of `actions/github-script`, also by `${{ env.NAME }}` | a warning of `workflow check` |
)";

std::string contexts_of(schema::Names names) {
  std::string out;
  auto add = [&](std::string_view name) { out.append(out.empty() ? "" : ", ").append(name); };
  for (size_t i = 0; i < std::size(schema::context_names); ++i) {
    if (names & (1U << i)) add(schema::context_names[i]);
  }
  if (names & (schema::job_status | schema::step_status)) add("status functions");
  if (names & schema::hash_files) add("hashFiles");
  return out.empty() ? "-" : out;
}

std::string words_of(std::span<const std::string_view> words) {
  std::string out;
  for (std::string_view word : words) out.append(out.empty() ? "`" : ", `").append(word).append("`");
  return out;
}

std::string values_of(const schema::Definition& type) {
  std::string out;
  auto add = [&](const std::string& kind) { out.append(out.empty() ? "" : ", ").append(kind); };
  if (!type.words.empty())
    add(words_of(type.words));
  else if (type.scalars & schema::string)
    add("string");
  if (type.scalars & schema::boolean) add("boolean");
  if (type.scalars & schema::number) add("number");
  if (type.items != nullptr) add("sequence");
  if (!type.forms.empty()) add("mapping");
  if (type.anything) add("any value");
  if (type.scalars == schema::null && type.forms.empty() && type.items == nullptr) add("nothing");
  return out;
}

class Page {
 public:
  void row(const std::string& path, const schema::Definition& type, schema::Names names, bool lacking, bool required) {
    if (!told_.insert(path).second) return;
    text_ += "| `" + path + "` | " + (lacking ? "listed" : "yes") + " | " + values_of(type) +
             (required ? ", required" : "") + " | " + contexts_of(names) + " |\n";
  }

  void below(const std::string& path, const schema::Definition& type, schema::Names outer) {
    schema::Names names = outer | type.names;
    for (const schema::Form& form : type.forms) {
      for (const schema::Property& property : form.properties) {
        std::string inner = path.empty() ? std::string(property.name) : path + "." + std::string(property.name);
        schema::Names inner_names = names | property.type->names;
        row(inner, *property.type, inner_names, property.lacking, property.required);
        if (!property.lacking && property.name != "on") below(inner, *property.type, names);
      }
      if (form.key == nullptr) continue;
      std::string inner = path + (form.key->check == schema::Check::job_id ? ".<job_id>" : ".<name>");
      if (form.value->forms.empty()) row(inner, *form.value, names | form.value->names, false, false);
      below(inner, *form.value, names);
    }
    if (type.items != nullptr && !type.items->forms.empty()) below(path + "[*]", *type.items, names);
  }

  void text(std::string_view more) { text_ += more; }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
  std::set<std::string> told_;
};

constexpr std::string_view head = "| property | Headrace | value | expressions |\n|---|---|---|---|\n";

std::string made_page() {
  Page page;
  page.text(introduction);
  page.text("## The file\n\n");
  page.text(head);
  page.below("", schema::root, 0);
  page.text("\n## Events of `on`\n\n| event | Headrace | types | by default |\n|---|---|---|---|\n");
  for (const schema::EventKind& kind : schema::events()) {
    std::string_view state = kind.name == "event" ? "ours" : kind.lacking ? "listed" : "yes";
    std::string types = kind.name == "repository_dispatch" ? "any" : words_of(kind.types);
    std::string defaults = !kind.default_types.empty() ? words_of(kind.default_types) : types.empty() ? "" : "all";
    page.text("| `" + std::string(kind.name) + "` | " + std::string(state) + " | " + types + " | " + defaults + " |\n");
  }
  page.text("\n## What may stand behind an event\n\n");
  page.text(head);
  for (const schema::EventKind& kind : schema::events()) {
    page.below("on." + std::string(kind.name), schema::on_configuration(kind), 0);
  }
  page.text("\n## Scopes of `permissions`\n\n| scope | read | write |\n|---|---|---|\n");
  for (const schema::Scope& scope : schema::scopes()) {
    page.text("| `" + std::string(scope.name) + "` | " + (scope.read ? "yes" : "-") + " | " +
              (scope.write ? "yes" : "-") + " |\n");
  }
  page.text(rules);
  return page.take();
}

TEST(WorkflowSyntaxPage, SaysWhatTheGrammarSays) {
  std::string made = made_page();
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    std::ofstream(page_path) << made;
    return;
  }
  std::ifstream file(page_path);
  std::ostringstream kept;
  kept << file.rdbuf();
  EXPECT_EQ(kept.str(), made) << "UPDATE_GOLDEN=1 rewrites " << page_path;
}

}  // namespace
}  // namespace headrace::workflow
