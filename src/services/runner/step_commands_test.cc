#include "services/runner/step_commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/json.h"

namespace headrace::runner {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Writes down what commands do.
struct Recorder final : CommandEffects {
  void print(std::string_view line) override { said.push_back("print " + std::string(line)); }
  void debug(std::string_view line) override { said.push_back("debug " + std::string(line)); }
  void annotate(Annotation note) override {
    said.push_back(std::string(name_of(note.level)) + " " + note.message);
    notes.push_back(std::move(note));
  }
  void add_mask(std::string_view secret) override { said.push_back("mask " + std::string(secret)); }
  core::Result<> add_matchers(const std::string& file) override {
    said.push_back("matchers " + file);
    if (file == "bad.json") return core::fail(core::Code::invalid, "It is no matcher.");
    return {};
  }
  core::Result<> remove_matchers(const std::string& file) override {
    return said.push_back("unmatch file " + file), core::Result<>{};
  }
  void remove_matcher(std::string_view owner) override { said.push_back("unmatch " + std::string(owner)); }
  void set_output(std::string name, std::string value) override { said.push_back("output " + name + "=" + value); }
  void save_state(std::string name, std::string value) override { said.push_back("state " + name + "=" + value); }
  void set_variable(std::string name, std::string value) override { said.push_back("env " + name + "=" + value); }
  void add_path(std::string path) override { said.push_back("path " + path); }
  std::string variable(std::string_view name) const override { return name == allowed ? "true" : ""; }
  void fail() override { failed = true; }

  std::vector<std::string> said;
  std::vector<Annotation> notes;
  std::string allowed;
  bool failed = false;
};

class StepCommandsTest : public ::testing::Test {
 protected:
  std::vector<std::string> heard(std::initializer_list<std::string_view> lines) {
    recorder.said.clear();
    for (auto line : lines)
      if (!commands.take(line)) recorder.said.push_back("line " + std::string(line));
    return recorder.said;
  }
  Recorder recorder;
  StepCommands commands{recorder, false};
};

TEST(CommandLine, HasANamePropertiesAndData) {
  auto command = parse_command("  ::error file=a%3Ab%2C.cc,line=3,title=x=y,empty=::It broke%0A100%25");
  ASSERT_TRUE(command);
  EXPECT_EQ(command->name, "error");
  EXPECT_EQ(command->data, "It broke\n100%");
  EXPECT_EQ(command->properties, (Variables{{"file", "a:b,.cc"}, {"line", "3"}, {"title", "x=y"}, {"empty", ""}}));
  EXPECT_EQ(command->property("FILE"), "a:b,.cc");
}

TEST(CommandLine, TheOlderFormStandsAnywhereInALine) {
  auto command = parse_command("12:00 ##[warning file=a.cc;line=2]Careful%3B%5D");
  ASSERT_TRUE(command);
  EXPECT_EQ(command->data, "Careful;]");
  EXPECT_EQ(command->property("line"), "2");
}

TEST(CommandLine, OtherLinesAreNone) {
  for (auto line : {"", "::", "::error", "x ::error::y", ":: error::y", "::errors::x", "::ns::call()", "##[section]x",
                    "##[error", "a::b::c", ": :error::x"})
    EXPECT_FALSE(parse_command(line)) << line;
}

TEST(CommandLine, NamesAreKnownInAnyCase) { EXPECT_TRUE(parse_command("::ERROR::x")); }

TEST(CommandLine, EscapesAreReadOnce) {
  EXPECT_EQ(unescape_data("%250A%0A%25%3A%2"), "%0A\n%%3A%2");
  EXPECT_EQ(unescape_data("%0a"), "%0a") << "GitHub knows capitals only";
}

TEST_F(StepCommandsTest, AnnotationsKeepTheirPlace) {
  EXPECT_THAT(heard({"::warning file=src/a.cc,line=4,endLine=4,col=2,endColumn=9,title=T::W", "::notice::N"}),
              ElementsAre("warning W", "notice N"));
  const auto& note = recorder.notes[0];
  EXPECT_EQ(note.file, "src/a.cc");
  EXPECT_EQ(note.title, "T");
  EXPECT_EQ(std::tuple(note.line, note.end_line, note.column, note.end_column), std::tuple(4, 4, 2, 9));
}

TEST_F(StepCommandsTest, PlacesThatContradictThemselvesAreLeftOut) {
  auto place = [](std::string_view properties) {
    auto note = annotation_of(*parse_command("::error " + std::string(properties) + "::x"), Annotation::Level::error);
    return std::vector<int64_t>{note.line, note.end_line, note.column, note.end_column};
  };
  EXPECT_THAT(place("endLine=5"), ElementsAre(5, 5, 0, 0));
  EXPECT_THAT(place("col=3"), ElementsAre(0, 0, 0, 0)) << "a column without a line";
  EXPECT_THAT(place("line=1,endLine=3,col=2"), ElementsAre(1, 3, 0, 0)) << "columns of different lines";
  EXPECT_THAT(place("line=9,endLine=3"), ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(place("line=2,col=9,endColumn=3"), ElementsAre(2, 0, 0, 0));
  EXPECT_THAT(place("line=-2"), ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(place("line=99999999999999999999"), ElementsAre(0, 0, 0, 0));
}

TEST_F(StepCommandsTest, GroupsAndDebugAreWrittenAsGitHubDoes) {
  EXPECT_THAT(heard({"::group::Build it", "::endgroup::ignored", "::debug::details"}),
              ElementsAre("print ##[group]Build it", "print ##[endgroup]", "debug details"));
}

TEST_F(StepCommandsTest, WhileStoppedNothingIsACommandButTheToken) {
  EXPECT_THAT(heard({"::stop-commands::pass-1", "::error::not one", "::Pass-1::", "::debug::again"}),
              ElementsAre("print ::stop-commands::pass-1", "line ::error::not one", "print ::Pass-1::", "debug again"));
}

TEST_F(StepCommandsTest, ATokenThatAnyoneCouldPrintIsRefused) {
  for (auto line : {"::stop-commands::", "::stop-commands::pause-logging", "::stop-commands::error"}) {
    recorder.failed = false;
    EXPECT_THAT(heard({line, "::debug::still heard"}), ElementsAre(::testing::_, HasSubstr("Unable to process command"),
                                                                   HasSubstr("endToken"), "debug still heard"));
    EXPECT_TRUE(recorder.failed);
  }
}

TEST_F(StepCommandsTest, EchoShowsCommandsButNotWhatTheyHide) {
  EXPECT_THAT(
      heard({"::echo::on", "::set-output name=a::1", "::add-mask::secret", "::debug::d", "::echo::OFF", "::group::g"}),
      ElementsAre("print ::set-output name=a::1", HasSubstr("deprecated"), "output a=1", "print ::add-mask::***",
                  "mask secret", "debug d", "print ::echo::OFF", "print ##[group]g"));
  EXPECT_THAT(heard({"::echo::maybe"}), ElementsAre(HasSubstr("Unable"), HasSubstr("'on', 'off'")));
}

TEST_F(StepCommandsTest, OutputsAndStateStillWorkWithAWarning) {
  EXPECT_THAT(heard({"::set-output name=a::1%0A2", "::save-state name=b::3"}),
              ElementsAre(HasSubstr("The `set-output` command is deprecated"), "output a=1\n2",
                          HasSubstr("The `save-state` command is deprecated"), "state b=3"));
  EXPECT_THAT(heard({"::set-output::1"}), ElementsAre(HasSubstr("Unable"), HasSubstr("Required field 'name'")));
  EXPECT_TRUE(recorder.failed);
}

TEST_F(StepCommandsTest, VariablesAndPathsByCommandAreDisabledUnlessAskedFor) {
  EXPECT_THAT(heard({"::set-env name=A::1"}),
              ElementsAre(HasSubstr("Unable"), HasSubstr("`set-env` command is disabled")));
  EXPECT_THAT(heard({"::add-path::/x"}), ElementsAre(HasSubstr("Unable"), HasSubstr("`add-path` command is disabled")));
  EXPECT_TRUE(recorder.failed);
  recorder.allowed = "ACTIONS_ALLOW_UNSECURE_COMMANDS";
  EXPECT_THAT(heard({"::set-env name=A::1", "::add-path::/x"}), ElementsAre("env A=1", "path /x"));
  EXPECT_THAT(heard({"::set-env name=node_options::-r x"}), ElementsAre(HasSubstr("Can't update NODE_OPTIONS")));
}

TEST_F(StepCommandsTest, AnEmptyMaskIsSaidToBeNone) {
  EXPECT_THAT(heard({"::add-mask:: "}), ElementsAre(HasSubstr("Can't add secret mask for empty string")));
}

TEST_F(StepCommandsTest, MatchersAreAddedAndRemovedByFileOrOwner) {
  EXPECT_THAT(heard({"::add-matcher::m.json", "::remove-matcher owner=gcc::", "::remove-matcher::m.json"}),
              ElementsAre("matchers m.json", "unmatch gcc", "unmatch file m.json"));
  EXPECT_THAT(heard({"::add-matcher::", "::remove-matcher::", "::remove-matcher owner=a::b"}),
              ElementsAre(HasSubstr("File path must be specified"), HasSubstr("must be specified"),
                          HasSubstr("Both values cannot be set")));
  EXPECT_FALSE(recorder.failed);
  EXPECT_THAT(heard({"::add-matcher::bad.json"}),
              ElementsAre("matchers bad.json", HasSubstr("Unable"), "error It is no matcher."));
  EXPECT_TRUE(recorder.failed);
}

}  // namespace
}  // namespace headrace::runner
