// The cases of GitHub's own workflow reader (shared/conformance/workflow-syntax), on the first of their three levels:
// accepted or refused as expected, the same job ids in the same order.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/json.h"
#include "workflow/workflow.h"

namespace headrace::workflow {
namespace {

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

// The second document of a case; split as text, for some cases are invalid YAML on purpose.
std::string workflow_of(const std::string& text) {
  size_t start = text.find("\n---\n");
  if (text.starts_with("---\n")) start = 0;
  size_t from = start == 0 ? 4 : start + 5;
  size_t end = text.find("\n---\n", from);
  return text.substr(from, end == std::string::npos ? end : end + 1 - from);
}

// Cases that wait for a part of the language that is only listed as unsupported so far, and the one that stays.
bool waits(std::string_view file) {
  constexpr std::string_view names[] = {
      "background-steps.yml",            // an experiment of GitHub's, off by default
      "errors-anchor-tag.yml",           // anchors are understood here, as GitHub does since
      "errors-expressions.yml",          // expressions
      "errors-step-if.yml",              // expressions
      "errors-job-concurrency.yml",      // concurrency
      "errors-matrix-empty-vector.yml",  // strategy
      "errors-max-depth.yml",            // runs under a limit of its own
      "errors-max-job-limit-with-reusable-workflow.yml",
      "errors-on-workflow_call-input-type-missing.yml",
      "errors-on-workflow_call-output.yml",
      "errors-required-property-missing.yml",  // workflow_call, concurrency, environment
      "errors-step-uses-syntax.yml",           // actions
      "yaml-schema-sequence.yml",   // stays: "[one]#" is no comment in YAML 1.2.2 (6.6), and libfyaml holds to that
      "job-container-invalid.yml",  // container
  };
  return file.starts_with("errors-reusable-workflow") || std::ranges::find(names, file) != std::end(names);
}

TEST(WorkflowConformance, AcceptsAndRefusesAsGitHubDoes) {
  if (!std::filesystem::exists(material())) GTEST_SKIP() << "no conformance material at " << material();
  const auto index = core::parse_json(file_text(material() / "index.json"));
  ASSERT_TRUE(index);
  size_t held = 0;
  for (const auto& entry : index->at("cases").as_array()) {
    std::string file(entry.at("file").as_string());
    if (waits(file)) continue;
    ++held;
    Reading reading = read(workflow_of(file_text(material() / file)), file);
    bool refused = !reading.errors.empty();
    bool wanted = entry.at("expects_errors").as_bool();
    EXPECT_EQ(refused, wanted) << file << (refused ? ": " + reading.errors[0].message : "");
    if (refused || entry.at("job_ids").is_null() || wanted) continue;
    std::vector<std::string> ids, expected;
    for (const Job& job : reading.workflow->jobs) ids.push_back(job.id);
    for (const auto& id : entry.at("job_ids").as_array()) {
      expected.emplace_back(id.is_string() ? id.get_string() : id.at("lit").as_string());
    }
    EXPECT_EQ(ids, expected) << file;
  }
  EXPECT_GE(held, 60U);
}

}  // namespace
}  // namespace headrace::workflow
