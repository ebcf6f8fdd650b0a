#include <gmock/gmock.h>
#include <stdlib.h>

#include <fstream>
#include <regex>
#include <set>

#include "cli/cli.h"
#include "cli/completion.h"

namespace headrace::cli {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

// What main() would return; `served` is what serve was asked for.
int run_line(std::vector<std::string> words, Serve* served = nullptr) {
  words.insert(words.begin(), "headrace");
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  return run(static_cast<int>(arguments.size()), arguments.data(), [&](const Serve& asked) {
    if (served) *served = asked;
    return core::Result<>{};
  });
}

// Nouns without verbs of their own, and verbs with their nouns.
std::set<std::string> commands() {
  std::set<std::string> leaves;
  auto words = all_words();
  for (const auto& [place, following] : words) {
    bool leaf = true;
    for (const auto& word : following) leaf = leaf && !words.contains(place.empty() ? word : place + " " + word);
    if (leaf) leaves.insert(place);
  }
  return leaves;
}

TEST(CommandLine, AnswersWrongUsageWith2) {
  ::testing::internal::CaptureStderr();
  for (const auto& words : std::vector<std::vector<std::string>>{{},
                                                                 {"nothing"},
                                                                 {"run"},
                                                                 {"run", "nothing"},
                                                                 {"serve", "--nothing"},
                                                                 {"repo", "create"},
                                                                 {"run", "list", "--limit", "0"},
                                                                 {"serve", "--tls-key", "x"},
                                                                 {"serve", "--slots", "many"},
                                                                 {"event", "publish", "x", "--durability", "none"},
                                                                 {"completion", "fish"},
                                                                 {"dead-letter", "show", "a", "0"}})
    EXPECT_EQ(run_line(words), 2) << ::testing::PrintToString(words);
  EXPECT_NE(::testing::internal::GetCapturedStderr(), "");
}

TEST(CommandLine, AnswersAnExecutorThatIsNoneWith2) {
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(run_line({"serve", "--label", "ubuntu-latest"}), 2);
  EXPECT_EQ(run_line({"serve", "--label", "=host"}), 2);
  EXPECT_EQ(run_line({"serve", "--label", "ubuntu-latest=moon"}), 2);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("'moon'"));
}

// What it prints, or its exit code where that is not 0.
std::string evaluated(std::vector<std::string> words) {
  words.insert(words.begin(), {"expression", "eval"});
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  int code = run_line(words);
  auto error = ::testing::internal::GetCapturedStderr();
  auto text = ::testing::internal::GetCapturedStdout();
  return code == 0 ? text : text + std::to_string(code);
}

TEST(CommandLine, EvaluatesExpressions) {
  auto contexts = ::testing::TempDir() + "headrace-contexts.json";
  std::ofstream(contexts) << R"({"github":{"ref":"refs/tags/v1"},"job":{"status":"failure"}})";
  EXPECT_EQ(evaluated({"startsWith(github.ref, 'refs/tags/')", "--context", contexts}), "true\n");
  EXPECT_EQ(evaluated({"--context", contexts, "--json", "--", "github"}),
            "{\"kind\":\"Object\",\"value\":{\"ref\":\"refs/tags/v1\"}}\n");
  EXPECT_EQ(evaluated({"${{ failure() && github.ref }}", "--context", contexts}), "refs/tags/v1\n");
  EXPECT_EQ(
      evaluated({"github", "--json"}),
      R"({"error":{"stage":"parsing","message":"Unrecognized named-value: 'github'. Located at position 1 within )"
      R"(expression: github","position":1}})"
      "\n1");
  EXPECT_EQ(evaluated({"1 2"}), "1");
  EXPECT_THAT(evaluated({"hashFiles('x')", "--json"}), HasSubstr(R"("stage":"evaluation")"));
}

TEST(CommandLine, AnExpressionMayBeginWithASign) {
  EXPECT_EQ(evaluated({"-1.50"}), "-1.5\n");
  EXPECT_EQ(evaluated({"--json", "-Infinity"}), "{\"kind\":\"Number\",\"value\":\"-Infinity\"}\n");
  EXPECT_EQ(evaluated({"--", "-1"}), "-1\n");
  EXPECT_EQ(evaluated({}), "2");
  EXPECT_EQ(evaluated({"1", "2"}), "2");
  EXPECT_EQ(evaluated({"--nothing", "1"}), "2");
}

TEST(CommandLine, TakesLabelsAgainAndAgainAndTheFolderAsAbsolute) {
  Serve served;
  EXPECT_EQ(run_line({"serve", "--data", "here/", "--label", "a=host", "--label", "b=host", "--no-runner"}, &served),
            0);
  EXPECT_EQ(served.labels, (Labels{{"a", "host"}, {"b", "host"}}));
  EXPECT_TRUE(served.data.starts_with("/") && served.data.ends_with("/here")) << served.data;
  EXPECT_TRUE(served.no_runner);
}

TEST(CommandLine, KeepsNothingFromOneLineToTheNext) {
  Serve served;
  EXPECT_EQ(run_line({"serve", "--label", "a=host", "--listen", "unix:/x"}, &served), 0);
  EXPECT_EQ(run_line({"serve"}, &served), 0);
  EXPECT_EQ(served.labels, Labels{});
  EXPECT_EQ(served.listen, "127.0.0.1:8080");
}

TEST(CommandLine, HasAnExampleForEveryCommand) {
  for (const auto& command : commands()) {
    std::vector<std::string> words;
    std::istringstream split(command);
    for (std::string word; split >> word;) words.push_back(word);
    words.push_back("--help");
    ::testing::internal::CaptureStdout();
    EXPECT_EQ(run_line(words), 0) << command;
    auto help = ::testing::internal::GetCapturedStdout();
    EXPECT_THAT(help, HasSubstr("Example:")) << command;
    EXPECT_THAT(help, HasSubstr("headrace " + command)) << command;
  }
}

// docs/cli.md has a heading "### `command`" for each.
TEST(CommandLine, IsDocumentedAsItIs) {
  std::ifstream page("docs/cli.md");
  ASSERT_TRUE(page);
  std::set<std::string> documented;
  std::regex heading("### `([a-z -]+)`");
  for (std::string line; std::getline(page, line);)
    if (std::smatch match; std::regex_match(line, match, heading)) documented.insert(match[1].str());
  EXPECT_EQ(documented, commands());
}

TEST(Completion, KnowsNounsVerbsAndOptions) {
  auto words = all_words();
  EXPECT_THAT(words.at(""), Contains("run"));
  EXPECT_THAT(words.at("run"), Contains("watch"));
  EXPECT_THAT(words.at("run watch"), Contains("--repo"));
}

std::string completed_by_bash(const std::string& line) {
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(run_line({"completion", "bash"}), 0);
  auto script = ::testing::internal::GetCapturedStdout();
  auto path = ::testing::TempDir() + "headrace-completion.bash";
  {
    std::ofstream(path) << script << "COMP_WORDS=(headrace " << line
                        << " '')\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_headrace\necho \"${COMPREPLY[*]}\"\n";
  }
  std::string out;
  auto* pipe = ::popen(("bash " + path + " 2>&1").c_str(), "r");
  for (char buffer[4096]; std::fgets(buffer, sizeof buffer, pipe);) out += buffer;
  ::pclose(pipe);
  return out;
}

TEST(Completion, WorksInBash) {
  EXPECT_THAT(completed_by_bash(""), HasSubstr("subscription"));
  EXPECT_THAT(completed_by_bash("run"), HasSubstr("watch"));
  EXPECT_THAT(completed_by_bash("runner"), HasSubstr("--token-file"));
  EXPECT_THAT(completed_by_bash("run list --limit 3"), HasSubstr("--repo"));
}

}  // namespace
}  // namespace headrace::cli
