#include "workflow/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "core/json.h"

namespace headrace::workflow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

using Files = std::map<std::string, std::string>;

Program program(const std::string& yaml, const Files& called = {}, const Limits& limits = {}) {
  Reading reading = read(yaml, ".github/workflows/ci.yml");
  EXPECT_THAT(reading.errors, IsEmpty()) << to_text(reading.errors[0]);
  auto resolver = [&](const std::string& reference, const Source&) -> core::Result<Source> {
    auto found = called.find(reference);
    if (found == called.end()) return core::fail(core::Code::not_found, "There is no such file.");
    return Source{.path = reference, .yaml = found->second};
  };
  Source source{.path = ".github/workflows/ci.yml", .yaml = yaml, .repository = "team/app"};
  return link(reading.workflow.value_or(Workflow{}), source, resolver, limits);
}

std::string matrix_job(const std::string& strategy) {
  return "on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    strategy: " + strategy +
         "\n    steps: [{run: a}]\n";
}

Object contexts(std::string_view json = "{}") {
  Value value = Value::from_json(core::parse_json(json).value());
  return *value.if_object();
}

Expansion expanded(const Program& program, std::string_view key, const Object& with = contexts()) {
  const JobTemplate* job = program.find(key);
  EXPECT_NE(job, nullptr) << key;
  auto made = expand(program, *job, with);
  EXPECT_TRUE(made) << to_text(made.error());
  return made.value_or(Expansion{});
}

std::vector<std::string> matrices(const std::string& strategy, const Object& with = contexts()) {
  std::vector<std::string> out;
  for (const Leg& leg : expanded(program(matrix_job(strategy)), "test", with).legs) {
    out.push_back(core::to_text(leg.matrix.to_json()));
  }
  return out;
}

std::string failure_of(const std::string& yaml, std::string_view key = "test", const Object& with = contexts()) {
  Program linked = program(yaml);
  auto made = expand(linked, *linked.find(key), with);
  EXPECT_FALSE(made);
  return made ? "" : to_text(made.error());
}

TEST(WorkflowCalls, AreCheckedWithTheFileTheyStandIn) {
  std::string called =
      "on: {workflow_call: {inputs: {to: {type: string, required: true}, n: {type: number}}, secrets: {KEY: {required: "
      "true}}}}\njobs: {a: {runs-on: x, steps: [{run: a}]}}\n";
  auto checked = [&called](const std::string& jobs) {
    Reading reading = read("on: push\njobs:\n" + jobs, "app/.github/workflows/ci.yml");
    check_calls(reading, [&called](const std::string& reference, const Source&) -> core::Result<Source> {
      if (reference != "./.github/workflows/c.yml") return core::fail(core::Code::not_found, "There is no such file.");
      return Source{.path = ".github/workflows/c.yml", .yaml = called};
    });
    std::string told;
    for (const Finding& error : reading.errors) told += to_text(error) + "\n";
    for (const Finding& warning : reading.warnings) told += "warning " + to_text(warning) + "\n";
    EXPECT_EQ(reading.workflow.has_value(), reading.errors.empty());
    return told;
  };
  EXPECT_EQ(checked("  a: {uses: ./.github/workflows/c.yml, with: {to: x, n: 3}, secrets: inherit}\n"), "");
  EXPECT_EQ(checked("  b: {uses: ./.github/workflows/c.yml, secrets: inherit, with: {to: x, n: y, z: 1}}\n"
                    "  a: {uses: ./.github/workflows/c.yml}\n"),
            "(Line: 3, Col: 75): Unexpected value 'y'. The input is a number.\n"
            "(Line: 3, Col: 81): Invalid input, z is not defined in the referenced workflow.\n"
            "(Line: 4, Col: 13): Input to is required, but not provided while calling.\n"
            "(Line: 4, Col: 13): Secret KEY is required, but not provided while calling.\n");
  EXPECT_EQ(checked("  a: {uses: ./.github/workflows/none.yml}\n  b: {uses: o/r/.github/workflows/x.yml@v1}\n"),
            "warning (Line: 3, Col: 13): Unable to find reusable workflow './.github/workflows/none.yml': There is no "
            "such file. GitHub refuses such a file.\n");
}

TEST(WorkflowMatrix, IsTheProductOfItsVectors) {
  EXPECT_THAT(matrices("{matrix: {version: [10, 12], os: [u, w]}}"),
              ElementsAre(R"({"version":10,"os":"u"})", R"({"version":10,"os":"w"})", R"({"version":12,"os":"u"})",
                          R"({"version":12,"os":"w"})"));
}

TEST(WorkflowMatrix, ExcludesWhatAnEntryCoversInPart) {
  EXPECT_THAT(matrices("{matrix: {os: [m, w], version: [12, 14], env: [s, p], exclude: [{os: m, version: 12, env: p}, "
                       "{os: w, env: p}]}}"),
              ElementsAre(R"({"os":"m","version":12,"env":"s"})", R"({"os":"m","version":14,"env":"s"})",
                          R"({"os":"m","version":14,"env":"p"})", R"({"os":"w","version":12,"env":"s"})",
                          R"({"os":"w","version":14,"env":"s"})"));
  EXPECT_THAT(failure_of(matrix_job("{matrix: {os: [m], exclude: [{oss: m}]}}")),
              HasSubstr("(Line: 5, Col: 24): Matrix exclude key 'oss' does not match any key within the matrix"));
  EXPECT_THAT(matrices("{matrix: {os: [m], exclude: [{os: m}]}}"), IsEmpty());
}

// GitHub, "Workflow syntax", "strategy.matrix.include": its example.
TEST(WorkflowMatrix, IncludesAsGitHubsExampleShows) {
  EXPECT_THAT(
      matrices("{matrix: {fruit: [apple, pear], animal: [cat, dog], include: [{color: green}, {color: pink, animal: "
               "cat}, {fruit: apple, shape: circle}, {fruit: banana}, {fruit: banana, animal: cat}]}}"),
      ElementsAre(R"({"fruit":"apple","animal":"cat","color":"pink","shape":"circle"})",
                  R"({"fruit":"apple","animal":"dog","color":"green","shape":"circle"})",
                  R"({"fruit":"pear","animal":"cat","color":"pink"})",
                  R"({"fruit":"pear","animal":"dog","color":"green"})", R"({"fruit":"banana"})",
                  R"({"fruit":"banana","animal":"cat"})"));
  EXPECT_THAT(matrices("{matrix: {include: [{site: a, dc: x}, {site: b, dc: y}]}}"),
              ElementsAre(R"({"site":"a","dc":"x"})", R"({"site":"b","dc":"y"})"));
}

TEST(WorkflowMatrix, ComesFromAnExpression) {
  Object with = contexts(R"({"needs":{"plan":{"outputs":{"m":"{\"a\":[1,2]}","list":"[\"x\"]"}}}})");
  EXPECT_THAT(matrices("{matrix: '${{ fromJSON(needs.plan.outputs.m) }}'}", with),
              ElementsAre(R"({"a":1})", R"({"a":2})"));
  EXPECT_THAT(matrices("{matrix: {a: '${{ fromJSON(needs.plan.outputs.list) }}', b: [1]}}", with),
              ElementsAre(R"({"a":"x","b":1})"));
  EXPECT_THAT(matrices("'${{ fromJSON(''{\"matrix\":{\"z\":[7]},\"max-parallel\":1}'') }}'"),
              ElementsAre(R"({"z":7})"));
  EXPECT_THAT(failure_of(matrix_job("{matrix: {a: '${{ needs.plan.outputs.list }}'}}"), "test", with),
              HasSubstr(".github/workflows/ci.yml (Line: 5, Col: 24): Matrix vector 'a' must be a sequence"));
  EXPECT_THAT(failure_of(matrix_job("{matrix: '${{ fromJSON(''[1'') }}'}")), HasSubstr("(Line: 5, Col: "));
}

TEST(WorkflowMatrix, HasAtMost256Legs) {
  std::string vector = "[0";
  for (int i = 1; i < 16; ++i) vector += ", " + std::to_string(i);
  vector += "]";
  EXPECT_THAT(matrices("{matrix: {a: " + vector + ", b: " + vector + "}}"), SizeIs(256));
  EXPECT_THAT(failure_of(matrix_job("{matrix: {a: " + vector + ", b: " + vector + ", include: [{a: 99}]}}")),
              HasSubstr("The matrix has 257 legs"));
  std::string many = "{a: " + vector;
  for (const char* key : {"b", "c", "d", "e", "f"}) many += std::string(", ") + key + ": " + vector;
  EXPECT_THAT(failure_of(matrix_job("{matrix: " + many + "}}")), HasSubstr("too many legs"));
}

TEST(WorkflowExpand, NamesLegsAsGitHubDoes) {
  auto names = [](const std::string& yaml) {
    std::vector<std::string> out;
    for (const Leg& leg : expanded(program(yaml), "test").legs) out.push_back(leg.key + " = " + leg.name);
    return out;
  };
  std::string strategy = "{matrix: {os: [ubuntu], v: [12], include: [{os: ubuntu, extra: {deep: yes}}]}}";
  EXPECT_THAT(names(matrix_job(strategy)), ElementsAre("test (ubuntu, 12, yes) = test (ubuntu, 12, yes)"));
  EXPECT_THAT(names(matrix_job(strategy) + "    name: Build\n"),
              ElementsAre("test (ubuntu, 12, yes) = Build (ubuntu, 12, yes)"));
  EXPECT_THAT(names(matrix_job(strategy) + "    name: Build ${{ matrix.v }}\n"),
              ElementsAre("test (ubuntu, 12, yes) = Build 12"));
  EXPECT_THAT(names(matrix_job("{matrix: {a: [1, 1]}}")), ElementsAre("test (1) = test (1)", "test (1) #2 = test (1)"));
}

TEST(WorkflowExpand, EvaluatesWhatALegIs) {
  Program linked = program(R"(on: push
jobs:
  test:
    strategy:
      fail-fast: ${{ github.ref != 'refs/heads/main' }}
      max-parallel: 2
      matrix: {os: [a, b], quick: [true]}
    runs-on:
      group: big
      labels: [self-hosted, '${{ matrix.os }}']
    timeout-minutes: ${{ fromJSON('30') }}
    continue-on-error: ${{ matrix.quick }}
    concurrency:
      group: g-${{ matrix.os }}-${{ strategy.job-index }}
      cancel-in-progress: ${{ github.event_name == 'push' }}
    environment: {name: 'env-${{ vars.E }}', url: '${{ steps.x.outputs.u }}'}
    steps: [{run: a}]
)");
  Expansion made = expanded(linked, "test", contexts(R"({"github":{"ref":"refs/heads/main","event_name":"push"},
                                                        "vars":{"E":"prod"}})"));
  EXPECT_FALSE(made.fail_fast);
  EXPECT_EQ(made.max_parallel, 2);
  ASSERT_THAT(made.legs, SizeIs(2));
  const Leg& leg = made.legs[1];
  EXPECT_THAT(leg.labels, ElementsAre("self-hosted", "b"));
  EXPECT_EQ(leg.group, "big");
  EXPECT_EQ(leg.timeout_minutes, 30);
  EXPECT_TRUE(leg.continue_on_error);
  EXPECT_EQ(leg.concurrency, (Concurrency{"g-b-1", true}));
  EXPECT_EQ(leg.environment, "env-prod");
  EXPECT_TRUE(leg.restricted);
  EXPECT_EQ(core::to_text(leg.strategy.to_json()),
            R"({"fail-fast":false,"job-index":1,"job-total":2,"max-parallel":2})");
}

TEST(WorkflowExpand, ErrorsNameFileLineAndColumn) {
  std::string head = "on: push\njobs:\n  test:\n    runs-on: ";
  EXPECT_EQ(failure_of(head + "${{ fromJSON('x') }}\n    steps: [{run: a}]\n").substr(0, 46),
            ".github/workflows/ci.yml (Line: 4, Col: 14): T");
  EXPECT_THAT(failure_of(head + "x\n    timeout-minutes: 0\n    steps: [{run: a}]\n"), HasSubstr("more than 0"));
  EXPECT_THAT(failure_of(head + "x\n    timeout-minutes: ${{ 'soon' }}\n    steps: [{run: a}]\n"),
              HasSubstr("Unexpected value 'soon'. Here must stand a number."));
  EXPECT_THAT(failure_of(head + "x\n    steps: [{run: " + std::string(200 * 1024, 'a') + "}]\n"),
              HasSubstr("at most 192 KiB may go to a runner"));
}

TEST(WorkflowExpand, ARunnerThatAnExpressionNamesAsNothingIsTheUsualOne) {
  auto made =
      expanded(program("on: push\njobs:\n  test:\n    runs-on: ${{ vars.NONE }}\n    steps: [{run: a}]\n"), "test");
  ASSERT_THAT(made.legs, SizeIs(1));
  EXPECT_THAT(made.legs[0].labels, ElementsAre("ubuntu-latest"));
}

constexpr std::string_view spec_workflow = R"(name: CI
on: push
env: {A: '${{ vars.X }}'}
permissions: {contents: read, id-token: write}
defaults: {run: {shell: bash}}
jobs:
  test:
    runs-on: ubuntu-latest
    env: {B: 2}
    container: {image: 'node:${{ matrix.v }}', ports: [80]}
    outputs: {o: '${{ steps.s.outputs.x }}'}
    steps:
      - id: s
        if: github.ref == 'x'
        run: echo ${{ secrets.KEY }}
        timeout-minutes: 2.5
        continue-on-error: ${{ matrix.c }}
      - uses: actions/checkout@v4
        with: {depth: 1}
)";

TEST(WorkflowExpand, GivesTheRunnerASpecCompleteInItself) {
  Program linked = program(std::string(spec_workflow));
  Object with = contexts(R"({"github":{"workflow":"CI","sha":"c0ffee","token":"t","event":{"a":1},"actor":"alice",
                            "action":"x"},"vars":{"X":"1","OTHER":"2"},"needs":{},"inputs":{}})");
  Expansion made = expanded(linked, "test", with);
  ASSERT_THAT(made.legs, SizeIs(1));
  EXPECT_TRUE(made.legs[0].restricted) << "it uses a secret";
  core::json::value spec = core::parse_json(made.legs[0].spec).value();
  EXPECT_EQ(spec.at("version"), 2);
  EXPECT_EQ(spec.at("job"), "test");
  EXPECT_EQ(core::to_text(spec.at("contexts")),
            R"({"github":{"workflow":"CI","sha":"c0ffee","actor":"alice","job":"test"},"needs":{},"inputs":{},)"
            R"("strategy":{"fail-fast":true,"job-index":0,"job-total":1,"max-parallel":1},"matrix":null,)"
            R"("vars":{"X":"1"}})");
  EXPECT_EQ(spec.at("permissions").at("contents"), "read");
  EXPECT_EQ(spec.at("permissions").at("id-token"), "write");
  EXPECT_EQ(spec.at("permissions").at("issues"), "none");
  EXPECT_EQ(spec.at("secrets"), "all");
  EXPECT_EQ(core::to_text(spec.at("secrets_used")), R"(["ACTIONS_RUNNER_DEBUG","ACTIONS_STEP_DEBUG","KEY"])");
  EXPECT_EQ(core::to_text(spec.at("env")), R"([{"A":"${{ vars.X }}"},{"B":"2"}])");
  EXPECT_EQ(core::to_text(spec.at("defaults")), R"({"shell":"bash","working_directory":""})");
  EXPECT_EQ(core::to_text(spec.at("container")), R"({"image":"node:${{ matrix.v }}","ports":["80"]})");
  EXPECT_TRUE(spec.at("services").is_null());
  EXPECT_EQ(core::to_text(spec.at("outputs")), R"({"o":"${{ steps.s.outputs.x }}"})");
  EXPECT_EQ(core::to_text(spec.at("steps").at(0)),
            R"_({"number":1,"id":"s","name":"","if":"success() && (github.ref == 'x')",)_"
            R"_("run":"echo ${{ secrets.KEY }}","uses":"","with":{},"env":{},"shell":"","working_directory":"",)_"
            R"_("timeout_minutes":2.5E0,"continue_on_error":"${{ matrix.c }}","line":13,"column":9})_");
  EXPECT_EQ(spec.at("steps").at(1).at("uses"), "actions/checkout@v4");
  EXPECT_EQ(core::to_text(spec.at("steps").at(1).at("with")), R"({"depth":"1"})");
}

TEST(WorkflowExpand, NarrowsATokenThatMayOnlyRead) {
  Program linked = program(std::string(spec_workflow));
  auto made = expand(linked, *linked.find("test"), contexts(), {}, {.trusted = false});
  ASSERT_TRUE(made);
  core::json::value spec = core::parse_json(made->legs[0].spec).value();
  EXPECT_EQ(spec.at("permissions").at("contents"), "read");
  EXPECT_EQ(spec.at("permissions").at("id-token"), "none");
  EXPECT_EQ(spec.at("secrets"), "withheld");
}

core::json::value first_spec(const std::string& job, const Given& given = {}) {
  Program linked = program("on: push\njobs:\n  a:\n    runs-on: x\n" + job);
  auto made = expand(linked, *linked.find("a"), contexts(R"({"vars":{"A":"1","B":"2","C":"3"}})"), {}, given);
  if (!made) ADD_FAILURE() << made.error().message;
  return made ? core::parse_json(made->legs[0].spec).value() : core::json::value();
}

TEST(WorkflowExpand, NamesTheSecretsAndVariablesThatExpressionsUse) {
  auto spec = first_spec(
      "    env: {X: \"${{ secrets.one }}\"}\n    steps:\n      - if: vars.b == '2'\n        run: a ${{ secrets['TWO'] "
      "}}\n"
      "        env: {y: \"${{ secrets.GITHUB_TOKEN }}\"}\n");
  EXPECT_EQ(core::to_text(spec.at("secrets_used")),
            R"(["ACTIONS_RUNNER_DEBUG","ACTIONS_STEP_DEBUG","GITHUB_TOKEN","ONE","TWO"])");
  EXPECT_EQ(core::to_text(spec.at("contexts").at("vars")), R"({"B":"2"})");
}

TEST(WorkflowExpand, GivesAllWhereAnExpressionMayMeanAny) {
  auto spec = first_spec("    steps: [{run: \"a ${{ toJSON(secrets) }} ${{ vars[github.ref] }}\"}]\n");
  EXPECT_EQ(spec.at("secrets_used"), "all");
  EXPECT_EQ(core::to_text(spec.at("contexts").at("vars")), R"({"A":"1","B":"2","C":"3"})");
}

TEST(WorkflowExpand, PutsTheVariablesOfTheEnvironmentBeforeOthers) {
  std::map<std::string, Object> environments;
  Object prod;
  prod.set("A", Value("prod"));
  prod.set("D", Value("4"));
  environments[fold_case("Prod")] = prod;
  auto spec = first_spec("    environment: prod\n    steps: [{run: \"${{ vars.A }} ${{ vars.B }} ${{ vars.D }}\"}]\n",
                         {.variables_of_environments = &environments});
  EXPECT_EQ(core::to_text(spec.at("contexts").at("vars")), R"({"A":"prod","B":"2","D":"4"})");
}

TEST(WorkflowExpand, TakesInWhatIsInserted) {
  Program linked = program(
      "on: push\njobs:\n  test:\n    runs-on: x\n    env:\n      A: 1\n      ${{ insert }}: "
      "${{ fromJSON(vars.MORE) }}\n    steps: [{run: a}]\n");
  Expansion made = expanded(linked, "test", contexts(R"({"vars":{"MORE":"{\"B\":\"x ${{ y }}\"}"}})"));
  core::json::value spec = core::parse_json(made.legs[0].spec).value();
  EXPECT_EQ(core::to_text(spec.at("env").at(1)), R"({"A":"1","B":"${{ 'x ${{ y }}' }}"})");
}

TEST(WorkflowCondition, AsksAllAncestorsAsGitHubDoes) {
  auto holds = [](const std::string& condition, Standing standing) {
    Program linked = program(
        "on: push\njobs:\n  a:\n    runs-on: x\n    steps: [{run: a}]\n  b:\n    needs: a\n    if: " + condition +
        "\n    runs-on: x\n    steps: [{run: a}]\n");
    auto value = runs(linked, *linked.find("b"), contexts(R"({"github":{"ref":"main"}})"), standing);
    EXPECT_TRUE(value) << to_text(value.error());
    return value.value_or(false);
  };
  Standing good{.needs = {{"a", "success"}}, .ancestors = {"success", "success"}};
  Standing behind_skipped{.needs = {{"a", "success"}}, .ancestors = {"skipped", "success"}};
  Standing bad{.needs = {{"a", "skipped"}}, .ancestors = {"failure", "skipped"}};
  Standing cancelled{.cancelled = true, .needs = {{"a", "success"}}, .ancestors = {"success"}};
  EXPECT_TRUE(holds("''", good));
  EXPECT_FALSE(holds("''", behind_skipped)) << "a skipped ancestor counts, however far";
  EXPECT_TRUE(holds("always()", behind_skipped));
  EXPECT_TRUE(holds("success('a')", behind_skipped));
  EXPECT_TRUE(holds("failure()", bad));
  EXPECT_FALSE(holds("failure('a')", bad));
  EXPECT_FALSE(holds("failure()", good));
  EXPECT_FALSE(holds("''", cancelled));
  EXPECT_TRUE(holds("cancelled()", cancelled));
  EXPECT_TRUE(holds("${{ !cancelled() && github.ref == 'main' }}", good));
  EXPECT_FALSE(holds("github.ref == 'dev'", good));
  EXPECT_FALSE(holds("false", good));
}

const std::string caller = R"(on: push
jobs:
  build:
    runs-on: x
    steps: [{run: a}]
  deploy:
    needs: build
    name: Deploy
    strategy: {matrix: {where: [eu, us]}}
    uses: ./.github/workflows/deploy.yml
    with: {target: '${{ matrix.where }}', count: 3}
    secrets: {KEY: '${{ secrets.DEPLOY_KEY }}', MIXED: "${{ github.ref == 'main' && secrets.A || 'none' }}", PLAIN: x}
)";
const std::string called = R"(on:
  workflow_call:
    inputs:
      target: {type: string, required: true}
      count: {type: number}
      dry: {type: boolean, default: true}
      label: {type: string, default: 'on ${{ github.ref }}'}
    secrets: {KEY: {required: true}, MIXED: {}, PLAIN: {}}
    outputs: {url: {value: '${{ jobs.go.outputs.url }}!'}}
jobs:
  check: {runs-on: x, steps: [{run: a}]}
  go: {needs: check, name: 'Go ${{ inputs.target }}', runs-on: x, steps: [{run: a}], outputs: {url: u}}
)";

TEST(WorkflowCall, BecomesTemplatesBehindItsCaller) {
  Program linked = program(caller, {{"./.github/workflows/deploy.yml", called}});
  EXPECT_THAT(linked.errors, IsEmpty()) << to_text(linked.errors[0]);
  std::vector<std::string> keys;
  for (const JobTemplate& job : linked.templates) keys.push_back(job.key + "<" + job.caller);
  EXPECT_THAT(keys, ElementsAre("build<", "deploy<", "deploy/check<deploy", "deploy/go<deploy"));
  EXPECT_THAT(linked.find("deploy/go")->needs, ElementsAre("deploy/check"));
  EXPECT_THAT(linked.find("deploy/go")->ancestors, ElementsAre("deploy/check"));
  EXPECT_THAT(linked.find("deploy")->ancestors, ElementsAre("build"));
  EXPECT_FALSE(linked.find("build")->calls());
}

TEST(WorkflowCall, PassesInputsAndSecretsOn) {
  Program linked = program(caller, {{"./.github/workflows/deploy.yml", called}});
  Object with = contexts(R"({"github":{"ref":"main"}})");
  Expansion made = expanded(linked, "deploy", with);
  ASSERT_THAT(made.legs, SizeIs(2));
  const Leg& leg = made.legs[0];
  EXPECT_EQ(leg.key, "deploy (eu)");
  EXPECT_EQ(core::to_text(Value(leg.inputs).to_json()), R"({"target":"eu","count":3,"dry":true,"label":"on main"})");
  EXPECT_EQ(leg.instance.secrets,
            R"({"KEY":"${{ secrets.DEPLOY_KEY }}","MIXED":"${{ 'main' == 'main' && secrets.A || 'none' }}",)"
            R"("PLAIN":"x"})");
  with.set("inputs", Value(leg.inputs));
  auto inner = expand(linked, *linked.find("deploy/go"), with, leg.instance);
  ASSERT_TRUE(inner) << to_text(inner.error());
  EXPECT_EQ(inner->legs[0].key, "deploy (eu)/go");
  EXPECT_EQ(inner->legs[0].name, "Deploy (eu) / Go eu");
  core::json::value spec = core::parse_json(inner->legs[0].spec).value();
  EXPECT_EQ(spec.at("secrets").at("KEY"), "${{ secrets.DEPLOY_KEY }}");
  Object outputs = contexts(R"({"jobs":{"go":{"result":"success","outputs":{"url":"http://x"}}}})");
  auto values = call_outputs(linked, *linked.find("deploy"), outputs);
  ASSERT_TRUE(values);
  EXPECT_THAT(*values, ElementsAre(Pair("url", "http://x!")));
}

TEST(WorkflowCall, RefusesWhatDoesNotFitTheCalledWorkflow) {
  auto errors = [](std::string call, const Files& files, const Limits& limits = {}) {
    std::vector<std::string> out;
    Program linked = program("on: push\njobs:\n  c:\n    uses: ./.github/workflows/d.yml\n" + call, files, limits);
    for (const Finding& error : linked.errors) out.push_back(to_text(error));
    return out;
  };
  Files files{{"./.github/workflows/d.yml", called}};
  std::string at_uses = ".github/workflows/ci.yml (Line: 4, Col: 11): ";
  EXPECT_THAT(errors("", files), ElementsAre(at_uses + "Input target is required, but not provided while calling.",
                                             at_uses + "Secret KEY is required, but not provided while calling."));
  EXPECT_THAT(errors("    with: {target: a, nope: 1}\n    secrets: inherit\n", files),
              ElementsAre(HasSubstr("Invalid input, nope is not defined in the referenced workflow.")));
  EXPECT_THAT(errors("", {}), ElementsAre(HasSubstr("Unable to find reusable workflow './.github/workflows/d.yml'")));
  EXPECT_THAT(errors("", {{"./.github/workflows/d.yml", "on: push\njobs: {a: {runs-on: x}}\n"}}),
              ElementsAre(at_uses + "workflow_call key is not defined in the referenced workflow."));
  std::string itself = "on: workflow_call\njobs: {c: {uses: ./.github/workflows/d.yml}}\n";
  EXPECT_THAT(errors("", {{"./.github/workflows/d.yml", itself}}),
              ElementsAre(HasSubstr("Nested reusable workflow depth exceeded 9.")))
      << "a circle of calls ends";
  std::string fan = "on: workflow_call\njobs:\n";
  for (int i = 0; i < 20; ++i) fan += "  c" + std::to_string(i) + ": {uses: ./.github/workflows/d.yml}\n";
  EXPECT_THAT(errors("", {{"./.github/workflows/d.yml", fan}}), testing::Contains(HasSubstr("more than 256 jobs")))
      << "calling twenty times at each of nine levels ends too";
}

TEST(WorkflowDispatch, ChecksAndFillsInputs) {
  Workflow workflow = *read(R"(on:
  workflow_dispatch:
    inputs:
      level: {type: choice, options: [info, debug], default: debug}
      dry: {type: boolean}
      count: {type: number, default: 2}
      tag: {required: true}
jobs: {a: {runs-on: x}}
)",
                            "ci.yml")
                           .workflow;
  auto given = [&](std::string_view json) {
    auto inputs = dispatch_inputs(workflow, contexts(json));
    return inputs ? core::to_text(Value(*inputs).to_json()) : inputs.error().message;
  };
  EXPECT_EQ(given(R"({"tag":"v1","dry":"true","count":"3"})"), R"({"level":"debug","dry":true,"count":3,"tag":"v1"})");
  EXPECT_EQ(given(R"({"tag":"v1"})"), R"({"level":"debug","dry":false,"count":2,"tag":"v1"})");
  EXPECT_THAT(given("{}"), HasSubstr("Required input 'tag' not provided"));
  EXPECT_THAT(given(R"({"tag":"v","level":"loud"})"), HasSubstr("must be one of info, debug, not 'loud'"));
  EXPECT_THAT(given(R"({"tag":"v","dry":"maybe"})"), HasSubstr("is a boolean; 'maybe' is none."));
  EXPECT_THAT(given(R"({"tag":"v","count":"x"})"), HasSubstr("is a number"));
  EXPECT_THAT(given(R"({"tag":"v","other":"x"})"), HasSubstr("Unexpected inputs provided: [\"other\"]"));
}

TEST(WorkflowRun, HasANameAndAConcurrencyGroup) {
  Workflow workflow = *read(
                           "on: push\nrun-name: By ${{ github.actor }}\nconcurrency: {group: 'ci-${{ github.ref }}', "
                           "cancel-in-progress: true}\njobs: {a: {runs-on: x}}\n",
                           "ci.yml")
                           .workflow;
  Object with = contexts(R"({"github":{"actor":"alice","ref":"main"}})");
  EXPECT_EQ(run_name(workflow, with), "By alice");
  EXPECT_EQ(concurrency(workflow, with), (Concurrency{"ci-main", true}));
  Workflow plain = *read("on: push\njobs: {a: {runs-on: x}}\n", "ci.yml").workflow;
  EXPECT_EQ(run_name(plain, with), "");
  EXPECT_EQ(concurrency(plain, with), Concurrency());
}

}  // namespace
}  // namespace headrace::workflow
