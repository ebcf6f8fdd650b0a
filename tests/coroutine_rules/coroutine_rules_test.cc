#include "coroutine_rules.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace headrace::coroutine_rules {
namespace {

std::string first(const std::string& source) {
  const auto found = findings(source);
  return found.empty() ? "" : std::to_string(found[0].line) + ": " + found[0].words;
}

bool finds(const std::string& source) { return !findings(source).empty(); }

TEST(CoroutineRules, RefuseALambdaThatCapturesValuesBesideCoAwait) {
  EXPECT_EQ(first("void f() {\n  auto x = co_await blocking(pool, [name] { return 1; });\n}"),
            "2: a lambda with captures within a co_await statement; name it before and std::move it in");
  EXPECT_TRUE(finds("co_await pool.run([value, held = std::move(work)]() mutable { value->emplace(held()); });"));
  EXPECT_TRUE(finds("if (auto x = co_await blocking(pool, [=] { return 1; }); !x) return;"));
  EXPECT_TRUE(
      finds("auto r = co_await\n    strand.run([this, given](sqlite::Connection& tables) { return f(tables); });"));
}

TEST(CoroutineRules, LetPassWhatCapturesNothingWithADestructor) {
  EXPECT_FALSE(finds("co_await blocking(pool, [] { return 1; });"));
  EXPECT_FALSE(finds("co_await blocking(pool, [&] { return 1; });"));
  EXPECT_FALSE(finds("co_await blocking(pool, [this, &rows] { return Row{1}; });"));
  EXPECT_FALSE(finds("auto work = [name] { return 1; };\nco_await blocking(pool, std::move(work));"));
  EXPECT_FALSE(finds("x = rows[index](co_await f());"));
}

TEST(CoroutineRules, RefuseABracedValueBesideCoAwait) {
  EXPECT_TRUE(finds("co_await send(Request{.path = path});"));
  EXPECT_TRUE(finds("co_await send({path, 1});"));
  EXPECT_TRUE(finds("co_await send(path, std::vector<Row>{a, b});"));
  EXPECT_TRUE(finds("auto x = co_await send(events::Event{});"));
  EXPECT_FALSE(finds("Request request{.path = path};\nco_await send(std::move(request));"));
  EXPECT_FALSE(finds("if (!co_await f()) { g(Request{}); }"));
  EXPECT_FALSE(finds("co_await f(); Request r{1};"));
  EXPECT_FALSE(finds("while (co_await more()) { step(); }"));
}

TEST(CoroutineRules, RefuseAChoiceBesideCoAwait) {
  EXPECT_TRUE(finds("co_await send(empty ? \"ready\" : trouble);"));
  EXPECT_TRUE(finds("auto sent = empty ? co_await heartbeat() : co_await send(bytes);"));
  EXPECT_FALSE(finds("auto words = empty ? \"ready\" : trouble;\nco_await send(std::move(words));"));
  EXPECT_FALSE(finds("co_await run([&] { return a ? b : c; });"));
}

TEST(CoroutineRules, RefuseAndOrBeforeCoAwaitInACoReturn) {
  EXPECT_TRUE(finds("co_return done() || co_await skip();"));
  EXPECT_TRUE(finds("co_return open\n    && !co_await ended();"));
  EXPECT_FALSE(finds("if (done() || co_await skip()) co_return true;"));
  EXPECT_FALSE(finds("const bool more = !upgraded && co_await conclude();\nco_return more;"));
  EXPECT_FALSE(finds("if (a || b) co_return co_await skip();"));
  EXPECT_FALSE(finds("co_return co_await skip();"));
}

TEST(CoroutineRules, RefuseADefaultArgumentInBraces) {
  EXPECT_TRUE(finds("core::Task<core::Result<Published>> publish(events::Event event, Publish options = {});"));
  EXPECT_TRUE(finds("Task<> publish(Event event, Publish options = Publish{});"));
  EXPECT_FALSE(finds("Task<> publish(Event event, Publish options = Publish());"));
  EXPECT_FALSE(finds("Task<> close(std::string reason = {});")) << "a string has a constructor";
  EXPECT_FALSE(finds("Task<> close();\nstatic Bus open(Options options = {});")) << "it is not awaited";
}

TEST(CoroutineRules, ReadNoCommentsAndNoStrings) {
  EXPECT_FALSE(finds("// co_await f([x] { });\n/* co_await f(Y{1}); */"));
  EXPECT_FALSE(finds("co_await f(\"Type{1} [x] {\");"));
  EXPECT_FALSE(finds("co_await f(R\"(Type{1} [x] { \" )\");"));
  EXPECT_FALSE(finds("co_await f('{', \"\\\"{\", 1'000);"));
}

TEST(TheHouse, HoldsNothingThatGcc12DestroysTwice) {
  size_t files = 0;
  for (const char* folder : {"src", "tests", "bench"})
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      const auto extension = entry.path().extension();
      if ((extension != ".h" && extension != ".cc") ||
          entry.path().string().find("coroutine_rules") != std::string::npos)
        continue;
      std::ifstream in(entry.path());
      const std::string text{std::istreambuf_iterator<char>(in), {}};
      ++files;
      for (const auto& finding : findings(text))
        ADD_FAILURE() << entry.path().string() << ":" << finding.line << ": " << finding.words;
    }
  EXPECT_GT(files, 0U) << "tests run in the repository's root";
}

}  // namespace
}  // namespace headrace::coroutine_rules
