#include "services/runner/protocol.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "core/bytes.h"

namespace headrace::runner {
namespace {

template <class T>
void expect_round_trip(const T& message) {
  auto read = decode(encode(message));
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_TRUE(std::holds_alternative<T>(*read));
  EXPECT_EQ(std::get<T>(*read), message);
}

TEST(RunnerProtocol, EveryMessageIsReadBackAsItWasWritten) {
  auto time = core::parse_time("2026-11-23T07:16:00.123456Z");
  expect_round_trip(Hello{"local", "an-instance", 4, {{"ubuntu-latest", "host"}, {"gpu", "host"}}, {7, 9'000'000'000}});
  expect_round_trip(Renew{{1, 2, 3}});
  expect_round_trip(StepChanged{7, 2, "Run make", {}});
  expect_round_trip(StepChanged{7, 2, "Run make", events::Conclusion::timed_out});
  expect_round_trip(StepChanged{7, 2, "Run make", {}, {{"notice", "m", "t", "a.c", 1, 2, 3, 4, 2}}});
  expect_round_trip(Reported{7, 2, "junit.xml", {1, 9, 5, 1, 1, 1, 1, 1, 2500}, 8, {"AQ==", "Ag=="}, 3});
  expect_round_trip(Summary{7, 4, 2, "# Tests\n\n1 < 2\n"});
  expect_round_trip(Lost{7, "it was started again"});
  expect_round_trip(Told{7, 4, true});
  events::StepResult step{.number = 1,
                          .name = "Run \"x\"",
                          .conclusion = events::Conclusion::failure,
                          .started_at = *time,
                          .completed_at = *time,
                          .exit_code = 3};
  expect_round_trip(Finished{7,
                             events::Conclusion::failure,
                             "Step 1 ended with exit code 3.",
                             {step},
                             4096,
                             12,
                             {{"version", "1.2"}},
                             {{"error", "broken", "T", "src/a.cc", 3, 4, 0, 0, 2}},
                             "https://example.test"});
  expect_round_trip(Welcome{10});
  expect_round_trip(
      runner::Run{7,
                  "job",
                  "run",
                  "team/hello",
                  "build",
                  "host",
                  2,
                  true,
                  "{\"steps\":[]}",
                  "{\"number\":7}",
                  {"a-token", {{"KEY", "value"}}, "http://a", "http://b", "http://c", "r-token", "x-token"}});
  expect_round_trip(Begin{7});
  expect_round_trip(Begun{7});
  expect_round_trip(Cancel{7, "cancelled by alice"});
  expect_round_trip(Cancel{7, "cancelled by alice", true});
  expect_round_trip(Stale{7, "gone"});
  expect_round_trip(LogHave{7, 65536, true});
  expect_round_trip(Settled{7});
  expect_round_trip(Drain{});
  expect_round_trip(Refused{"no"});
}

TEST(RunnerProtocol, AMessageIsTextWhateverAJobSays) {
  std::string sent = encode(StepChanged{7, 2, "gr\xfc\xdf", {}});
  EXPECT_TRUE(core::is_utf8(sent)) << sent;
  auto read = decode(sent);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(std::get<StepChanged>(*read).name, "gr\ufffd\ufffd");
}

TEST(RunnerProtocol, AMemberThatIsMissingOrWrongIsNamed) {
  for (
      const auto& [text, member] :
      {std::pair{R"({"type":"renew"})", "jobs"},
       {R"({"type":"renew","jobs":[-1]})", "jobs"},
       {R"({"type":"cancel","token":"7","reason":""})", "token"},
       {R"({"type":"finished","token":1,"conclusion":"fine","errors":"","steps":[],"log_bytes":0,"log_lines":0})",
        "conclusion"},
       {R"({"type":"report","token":1,"step":1,"file":"a","told":0,"totals":{},"parts":[]})", "totals"},
       {R"({"type":"report","token":1,"step":1,"file":"a","told":0,"parts":[1],"totals":{"suites":0,"cases":0,"passed":0,)"
        R"("failed":0,"errored":0,"skipped":0,"not_run":0,"flaky":0,"duration_us":0}})",
        "parts"},
       {R"({"type":"summary","token":1,"number":1,"step":1,"markdown":"="})", "markdown"},
       {R"({"type":"hello","protocol":2,"runner":"a","instance":"b","slots":1,"labels":[],"jobs":[]})", "protocol"}}) {
    auto read = decode(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, core::Code::invalid);
    EXPECT_NE(read.error().message.find(member), std::string::npos) << read.error().message;
  }
}

TEST(RunnerProtocol, AReportOfAnOlderRunnerHasNoNumber) {
  auto read =
      decode(R"({"type":"report","token":1,"step":1,"file":"a","told":0,"parts":[],"totals":{"suites":0,"cases":0,)"
             R"("passed":0,"failed":0,"errored":0,"skipped":0,"not_run":0,"flaky":0,"duration_us":0}})");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(std::get<Reported>(*read).number, 0);
}

TEST(RunnerProtocol, ASummaryOfAllItMayHoldFitsIntoAMessage) {
  const Summary largest{1, 1, 1, std::string(size_t{1} << 20, '\x01')};
  EXPECT_LE(encode(largest).size(), message_bytes_max);
}

TEST(RunnerProtocol, WhatIsNoMessageIsRefused) {
  for (const char* text : {"", "[]", "{}", "{\"type\":\"sing\"}", "{\"type\":7}", "not json"})
    EXPECT_FALSE(decode(text)) << text;
}

TEST(RunnerProtocol, APieceOfLogKeepsTokenOffsetAndBytes) {
  std::string bytes("a\0b\n", 4);
  auto message = encode_log(0x0102030405060708, 77, bytes);
  auto piece = decode_log(message);
  ASSERT_TRUE(piece);
  EXPECT_EQ(piece->token, 0x0102030405060708u);
  EXPECT_EQ(piece->offset, 77u);
  EXPECT_EQ(piece->bytes, bytes);
}

TEST(RunnerProtocol, APieceOfLogOutsideItsBoundsIsRefused) {
  EXPECT_FALSE(decode_log(encode_log(1, 0, "")));
  EXPECT_FALSE(decode_log("short"));
  EXPECT_TRUE(decode_log(encode_log(1, 0, std::string(log_piece_max, 'x'))));
  EXPECT_FALSE(decode_log(encode_log(1, 0, std::string(log_piece_max + 1, 'x'))));
}

std::string page(const std::string& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

events::StepResult step(int64_t number, std::string name, events::Conclusion conclusion, const char* from,
                        const char* to, int64_t exit_code) {
  return {.number = number,
          .name = std::move(name),
          .conclusion = conclusion,
          .started_at = *core::parse_time(from),
          .completed_at = *core::parse_time(to),
          .exit_code = exit_code};
}

// One of each, as docs/runner-protocol.md has them.
std::vector<Message> examples() {
  using events::Conclusion;
  const std::string spec = R"({"version":2,"job":"build","contexts":{},"steps":[{"number":1,"run":"make"}]})";
  return {
      Hello{
          "builder-1", "019ab0f2-6c1e-7a10-8000-5f1c3a9e0b11", 4, {{"ubuntu-latest", "host"}, {"gpu", "host"}}, {4711}},
      Renew{{4711, 4712}},
      StepChanged{4711, 2, "Run make", {}},
      StepChanged{4711, 2, "Run make", {}, {{"error", "expected ';'", "", "src/a.cc", 3, 0, 7, 0, 2}}},
      StepChanged{4711, 2, "Run make", Conclusion::success},
      Begin{4711},
      Reported{4711, 2, "build/junit.xml", {1, 2, 1, 1, 0, 0, 0, 0, 1500}, 2, {"AQIeeJxjZGRkYGRgYAQAAAoAAw=="}, 1},
      Summary{4711, 2, 2, "# Tests\n"},
      Lost{4711, "it was started again, and the job ended with the old process"},
      Finished{
          4711,
          Conclusion::failure,
          "Step 2 'Run make' ended with exit code 2.",
          {step(1, "Run ./configure", Conclusion::success, "2026-11-23T07:16:00.123456Z", "2026-11-23T07:16:01Z", 0),
           step(2, "Run make", Conclusion::failure, "2026-11-23T07:16:01Z", "2026-11-23T07:16:04.500Z", 2)},
          81920,
          1204,
          {{"version", "1.2"}},
          {{"error", "expected ';'", "", "src/a.cc", 3, 0, 7, 0, 2}}},
      Welcome{10},
      runner::Run{4711,
                  "019ab0f2-7d30-7c55-8000-2b9f10c4d6aa",
                  "019ab0f2-7d2e-7b12-8000-90aa12de34f0",
                  "team/hello",
                  "build",
                  "host",
                  1,
                  false,
                  spec,
                  R"({"number":7})",
                  {"hrj_example",
                   {{"KEY", "value"}},
                   "http://127.0.0.1:8080",
                   "http://127.0.0.1:8080/",
                   "http://127.0.0.1:8080/",
                   "eyJexample",
                   "hrj_other"}},
      Begun{4711},
      Cancel{4711, "cancelled by alice"},
      Stale{4711, "The lease is not in force any more."},
      LogHave{4711, 65536, false},
      Told{4711, 1, false},
      Settled{4711},
      Drain{},
      Refused{"Another runner is connected under the name 'builder-1'; give this one a name and token of its own."}};
}

TEST(RunnerProtocol, ThePageShowsWhatIsWrittenAndNothingElse) {
  auto text = page("docs/runner-protocol.md");
  size_t shown = 0;
  for (size_t at = text.find("```json\n"); at != std::string::npos; at = text.find("```json\n", at + 1)) ++shown;
  EXPECT_EQ(shown, examples().size());
  for (const auto& message : examples()) {
    auto written = encode(message);
    EXPECT_NE(text.find("```json\n" + written + "\n```\n"), std::string::npos) << written;
    auto read = decode(written);
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, message);
  }
}

TEST(RunnerProtocol, ThePageShowsAPieceOfLogByteByByte) {
  std::string bytes;
  for (char raw : encode_log(4711, 300, "hi\n")) {
    auto byte = static_cast<unsigned char>(raw);
    constexpr const char* digits = "0123456789abcdef";
    if (!bytes.empty()) bytes += bytes.size() % 25 == 23 ? "  " : " ";
    bytes += {digits[byte / 16], digits[byte % 16]};
  }
  EXPECT_NE(page("docs/runner-protocol.md").find("\n" + bytes + "\n"), std::string::npos) << bytes;
}

}  // namespace
}  // namespace headrace::runner
