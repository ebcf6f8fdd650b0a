#include "server/metrics.h"

#include <gmock/gmock.h>

#include <regex>
#include <set>
#include <sstream>

#include "server/testing/world.h"

namespace headrace::server {
namespace {

TEST(Exposition, EscapesLabelValues) {
  Exposition out;
  out.family("x_total", "counter", "An x.");
  out.sample(2, {{"name", "a\\b\"c\nd"}, {"other", "e"}});
  EXPECT_EQ(out.take(),
            "# HELP x_total An x.\n# TYPE x_total counter\nx_total{name=\"a\\\\b\\\"c\\nd\",other=\"e\"} 2\n");
}

TEST(Exposition, KeepsLargeCountsExact) {
  Exposition out;
  out.family("x", "gauge", "An x.");
  out.sample(9007199254740991.0);
  out.sample(0.25);
  EXPECT_EQ(out.take(), "# HELP x An x.\n# TYPE x gauge\nx 9007199254740991\nx 0.25\n");
}

// Prometheus' text format 0.0.4, as far as a scraper refuses a page for it.
TEST(Metrics, HaveEachFamilyOnceWithItsHelpAndTypeBeforeItsSamples) {
  testing::World world;
  auto page = world.get("/metrics");
  ASSERT_EQ(page.status, net::Status::ok);
  EXPECT_THAT(page.headers.get("Content-Type"), ::testing::StartsWith("text/plain; version=0.0.4"));
  std::regex sample(R"(([a-z_]+)(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [-+0-9.e]+)");
  std::set<std::string> families;
  std::set<std::string> samples;
  std::string helped, typed, line;
  std::istringstream lines(page.body);
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string hash, what, name, rest;
    words >> hash >> what >> name >> rest;
    if (what == "HELP") {
      EXPECT_TRUE(families.insert(name).second) << name << " twice";
      helped = name;
    } else if (what == "TYPE") {
      EXPECT_EQ(name, helped);
      EXPECT_TRUE(rest == "gauge" || rest == "counter" || rest == "summary") << line;
      EXPECT_EQ(rest == "counter", name.ends_with("_total")) << line;
      typed = name;
    } else {
      std::smatch match;
      ASSERT_TRUE(std::regex_match(line, match, sample)) << line;
      EXPECT_EQ(match[1].str(), typed);
      EXPECT_TRUE(samples.insert(line.substr(0, line.rfind(' '))).second) << line << " twice";
    }
  }
  EXPECT_TRUE(page.body.ends_with('\n'));
  EXPECT_TRUE(families.contains("headrace_log_durable_offset"));
  EXPECT_TRUE(samples.contains("headrace_projection_stopped{projection=\"identity\"}"));
}

}  // namespace
}  // namespace headrace::server
