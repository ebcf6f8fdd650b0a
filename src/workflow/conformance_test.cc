// The cases of GitHub's own workflow reader (shared/conformance/workflow-syntax) at level (b): accepted or refused as
// expected; the same jobs in the same order with needs, step ids and conditions; for a refusal the place and the gist
// of each message.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "core/json.h"
#include "workflow/plan.h"
#include "workflow/workflow.h"

namespace headrace::workflow {
namespace {

namespace json = core::json;

std::filesystem::path material() {
  const char* given = std::getenv("HEADRACE_CONFORMANCE");
  return std::filesystem::path(given != nullptr ? given : "../shared/conformance") / "workflow-syntax";
}

std::string file_text(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Split as text, for some cases are invalid YAML on purpose.
std::vector<std::string> documents(const std::string& text) {
  std::vector<std::string> parts;
  size_t from = text.starts_with("---\n") ? 4 : 0;
  for (size_t end; (end = text.find("\n---\n", from)) != std::string::npos; from = end + 5) {
    parts.push_back(text.substr(from, end + 1 - from));
  }
  parts.push_back(text.substr(from));
  return parts;
}

struct Case {
  std::string file;
  json::object options;
  std::string workflow;
  std::map<std::string, std::string> called;
  json::value expected;

  size_t limit(const char* name, size_t fallback) const {
    const json::value* given = options.if_contains(name);
    return given == nullptr ? fallback : static_cast<size_t>(given->as_int64());
  }
};

Case read_case(const json::value& entry) {
  Case made;
  made.file = std::string(entry.at("file").as_string());
  made.options = entry.at("options").as_object();
  std::vector<std::string> parts = documents(file_text(material() / made.file));
  size_t at = entry.at("options").as_object().empty() ? 0 : 1;
  made.workflow = parts[at];
  for (size_t i = at + 1; i + 2 < parts.size(); i += 2) {
    std::string reference = parts[i];
    while (reference.ends_with('\n')) reference.pop_back();
    made.called[reference] = parts[i + 1];
  }
  made.expected = core::parse_json(parts.back()).value();
  return made;
}

// A token of the expected JSON: a literal as it is, or with its place.
std::string literal(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_object() && value.get_object().contains("lit")) return literal(value.at("lit"));
  return core::to_text(value);
}

std::string condition(const json::value& value) { return literal(value.at("expr")); }

std::string described(const json::object& job, std::string_view prefix) {
  std::string key = std::string(prefix) + literal(job.at("id"));
  std::string out = key + " if " + condition(job.at("if")) + " needs";
  if (const json::value* needs = job.if_contains("needs")) {
    for (const json::value& need : needs->as_array()) out += " " + std::string(prefix) + literal(need);
  }
  if (const json::value* steps = job.if_contains("steps")) {
    for (const json::value& step : steps->as_array()) {
      out += "; " + literal(step.at("id"));
      if (step.as_object().contains("if")) out += " if " + condition(step.at("if"));
    }
  }
  out += "\n";
  if (const json::value* inner = job.if_contains("jobs")) {
    for (const json::value& one : inner->as_array()) out += described(one.as_object(), key + "/");
  }
  return out;
}

bool waits_or_cancels(const Step& step) {  // steps that have no condition
  return std::ranges::any_of(std::initializer_list<const char*>{"wait", "wait-all", "cancel", "parallel"},
                             [&](const char* name) { return step.body.find(name) != nullptr; });
}

std::string described(const Program& program) {
  std::string out;
  for (const JobTemplate& job : program.templates) {
    out += job.key + " if " + job.condition + " needs";
    for (const std::string& need : job.needs) out += " " + need;
    for (const Step& step : program.steps(job)) {
      out += "; " + step.shown_id;
      if (!waits_or_cancels(step)) out += " if " + step.condition;
    }
    out += "\n";
  }
  return out;
}

Program linked(const Case& given, Workflow workflow) {
  Limits limits;
  limits.depth = given.limit("max-depth", limits.depth);
  limits.jobs = given.limit("max-job-limit", limits.jobs);
  limits.nested = given.limit("max-nested-reusable-workflows-depth", limits.nested);
  limits.bytes = given.limit("max-result-size", limits.bytes);
  const json::value* policy = given.options.if_contains("permissions-policy");
  bool limited = policy != nullptr && *policy == "LimitedRead";
  limits.token = limited ? TokenDefault::read_contents_and_packages : TokenDefault::write_all;
  auto resolver = [&](const std::string& reference, const Source&) -> core::Result<Source> {
    auto found = given.called.find(reference);
    if (found == given.called.end()) return core::fail(core::Code::not_found, "There is no such file.");
    return Source{.path = reference, .yaml = found->second};
  };
  Source source{.path = ".github/workflows/" + given.file, .yaml = given.workflow};
  return link(std::move(workflow), source, resolver, limits);
}

std::vector<Finding> errors_of(const Case& given, std::string* shape) {
  std::string file = ".github/workflows/" + given.file;
  Reading reading = read(given.workflow, file, given.limit("max-depth", depth_max));
  for (Finding& error : reading.errors) error.file = file;
  if (!reading.workflow) return reading.errors;
  Program program = linked(given, std::move(*reading.workflow));
  *shape = described(program);
  return program.errors;
}

// "FILE (Line: 3, Col: 5): MESSAGE", where the case gives a place; the message may say more than expected.
bool tells(const Finding& error, const std::string& expected) {
  size_t place = expected.find(" (Line: ");
  if (place == std::string::npos) {
    size_t start = expected.find(": ");
    std::string gist = start == std::string::npos ? expected : expected.substr(start + 2);
    return error.message.contains(expected) || error.message.contains(gist.substr(0, 40));
  }
  size_t end = expected.find("): ", place);
  std::string position =
      " (Line: " + std::to_string(error.at.line) + ", Col: " + std::to_string(error.at.column) + "): ";
  std::string gist = expected.substr(end + 3);
  if (gist.ends_with("[...]'.")) gist.resize(gist.size() - 7);  // GitHub cuts long messages
  if (size_t cut = gist.find("co[...]"); cut != std::string::npos) gist.resize(cut);
  if (size_t cut = gist.find("ch[...]"); cut != std::string::npos) gist.resize(cut);
  return expected.substr(place, end + 3 - place) == position && error.message.starts_with(gist) &&
         expected.contains(error.file);
}

// Cases that do not hold, and why.
const std::map<std::string, std::string> not_held{
    {"errors-anchor-tag.yml", "anchors are understood here, as GitHub understands them since 2025"},
    {"yaml-schema-sequence.yml", "'[one]#' is no comment in YAML 1.2.2 (6.6), and libfyaml holds to that"},
    {"skip-reusable-workflows.yml", "an option of one of GitHub's readers; called workflows are never left out here"},
};

TEST(WorkflowConformance, ReadsAsGitHubDoes) {
  if (!std::filesystem::exists(material())) GTEST_SKIP() << "no conformance material at " << material();
  const auto index = core::parse_json(file_text(material() / "index.json"));
  ASSERT_TRUE(index);
  size_t held = 0;
  for (const auto& entry : index->at("cases").as_array()) {
    Case given = read_case(entry);
    if (not_held.contains(given.file)) continue;
    ++held;
    SCOPED_TRACE(given.file);
    std::string shape, expected_shape;
    std::vector<Finding> errors = errors_of(given, &shape);
    const json::value* expected_errors = given.expected.as_object().if_contains("errors");
    if (expected_errors == nullptr) {
      for (const Finding& error : errors) ADD_FAILURE() << to_text(error);
      for (const json::value& job : given.expected.at("jobs").as_array()) {
        expected_shape += described(job.as_object(), "");
      }
      EXPECT_EQ(shape, expected_shape);
      continue;
    }
    EXPECT_EQ(errors.size(), expected_errors->as_array().size());
    for (const json::value& error : expected_errors->as_array()) {
      std::string message(error.at("Message").as_string());
      bool told = std::ranges::any_of(errors, [&](const Finding& finding) { return tells(finding, message); });
      EXPECT_TRUE(told) << message << "\ntold: " << (errors.empty() ? "nothing" : to_text(errors[0]));
    }
  }
  EXPECT_EQ(held, 95U);
}

}  // namespace
}  // namespace headrace::workflow
