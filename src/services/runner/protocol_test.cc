#include "services/runner/protocol.h"

#include <gtest/gtest.h>

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
  events::StepResult step{.number = 1, .name = "Run \"x\"", .conclusion = events::Conclusion::failure, .started_at = *time, .completed_at = *time, .exit_code = 3};
  expect_round_trip(Finished{7, events::Conclusion::failure, "Step 1 ended with exit code 3.", {step}, 4096, 12});
  expect_round_trip(Welcome{10});
  expect_round_trip(runner::Run{7, "job", "run", "team/hello", "build", "host", 2, "{\"steps\":[]}"});
  expect_round_trip(Cancel{7, "cancelled by alice"});
  expect_round_trip(Stale{7, "gone"});
  expect_round_trip(LogHave{7, 65536, true});
  expect_round_trip(Settled{7});
  expect_round_trip(Drain{});
  expect_round_trip(Refused{"no"});
}

TEST(RunnerProtocol, AMemberThatIsMissingOrWrongIsNamed) {
  for (const auto& [text, member] : {std::pair{R"({"type":"renew"})", "jobs"}, {R"({"type":"renew","jobs":[-1]})", "jobs"},
                                     {R"({"type":"cancel","token":"7","reason":""})", "token"},
                                     {R"({"type":"finished","token":1,"conclusion":"fine","errors":"","steps":[],"log_bytes":0,"log_lines":0})", "conclusion"},
                                     {R"({"type":"hello","protocol":2,"runner":"a","instance":"b","slots":1,"labels":[],"jobs":[]})", "protocol"}}) {
    auto read = decode(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, core::Code::invalid);
    EXPECT_NE(read.error().message.find(member), std::string::npos) << read.error().message;
  }
}

TEST(RunnerProtocol, WhatIsNoMessageIsRefused) {
  for (const char* text : {"", "[]", "{}", "{\"type\":\"sing\"}", "{\"type\":7}", "not json"}) EXPECT_FALSE(decode(text)) << text;
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

}  // namespace
}  // namespace headrace::runner
