// The web pages as a browser is given them.
#include "server/pages.h"

#include <gmock/gmock.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "core/bytes.h"
#include "git/gunzip.h"
#include "git/names.h"
#include "server/page_files.h"
#include "server/testing/world.h"

namespace headrace::server {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string source(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The strings in quotes of a TypeScript list.
std::vector<std::string> quoted_in(const std::string& text, char quote) {
  std::vector<std::string> found;
  for (size_t begin = text.find(quote); begin != std::string::npos; begin = text.find(quote, begin)) {
    auto end = text.find(quote, begin + 1);
    found.push_back(text.substr(begin + 1, end - begin - 1));
    begin = end + 1;
  }
  return found;
}

std::string unpacked(std::string_view packed, size_t size) {
  std::string plain(size + 1, '\0');
  auto step = git::Gunzip().step(core::as_bytes(packed), std::as_writable_bytes(std::span(plain)));
  EXPECT_TRUE(step && step->ended);
  plain.resize(step ? step->made : 0);
  return plain;
}

class Pages : public ::testing::Test {
 protected:
  void SetUp() override {
    if (page_files().empty()) GTEST_SKIP() << "this program was built without pages";
  }

  net::Response ask(const std::string& path, net::Headers headers, std::string method = "GET") {
    return world.send({path, std::move(method), std::move(headers), {}});
  }
  net::Response browse(const std::string& path) {
    return ask(path, {{"Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}});
  }

  testing::World world;
};

TEST_F(Pages, ShowEveryAddressThatNoRouteHas) {
  for (const char* path : {"/", "/runs", "/team/shop", "/team/shop/runs/412", "/sign-in", "/events?filter=x"}) {
    auto answer = browse(path);
    EXPECT_EQ(answer.status, net::Status::ok) << path;
    EXPECT_EQ(answer.headers.get("Content-Type"), "text/html; charset=utf-8") << path;
    EXPECT_THAT(answer.body, HasSubstr("<div id=\"app\">")) << path;
    EXPECT_EQ(answer.headers.get("Cache-Control"), "no-cache") << path;
  }
}

TEST_F(Pages, LeaveTheApiAndProgramsAlone) {
  EXPECT_EQ(browse("/api/v1/nothing").status, net::Status::not_found);
  EXPECT_EQ(browse("/assets/nothing.js").status, net::Status::not_found);
  EXPECT_EQ(ask("/runs", {{"Accept", "*/*"}}).status, net::Status::not_found);
  EXPECT_EQ(ask("/runs", {}).status, net::Status::not_found);
  EXPECT_EQ(ask("/runs", {{"Accept", "text/html;q=0"}}).status, net::Status::not_found);
  EXPECT_EQ(ask("/runs", {{"Accept", "text/html"}}, "POST").status, net::Status::not_found);
  EXPECT_THAT(ask("/", {{"Accept", "*/*"}}).body, HasSubstr("headrace login"));
  EXPECT_EQ(browse("/healthz").headers.get("Content-Type"), "text/plain; charset=utf-8");
}

TEST_F(Pages, RunNoScriptOfAnybodyElse) {
  auto answer = browse("/");
  const std::string policy(answer.headers.get("Content-Security-Policy"));
  EXPECT_THAT(policy, HasSubstr("default-src 'none'"));
  EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
  // One script stands in the page itself, and is known by its hash; all others are files.
  std::smatch inside;
  ASSERT_TRUE(std::regex_search(answer.body, inside, std::regex("<script>([^]*?)</script>")));
  const auto hash = core::sha256(core::as_bytes(inside[1].str()));
  const std::string allowed = "script-src 'self' 'sha256-" + core::to_base64(hash) + "';";
  EXPECT_THAT(policy, HasSubstr(allowed));
  EXPECT_EQ(answer.headers.get("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(answer.headers.get("Referrer-Policy"), "same-origin");
}

TEST_F(Pages, AreKeptByTheBrowserUntilTheyChange) {
  auto first = browse("/");
  const std::string tag(first.headers.get("ETag"));
  ASSERT_FALSE(tag.empty());
  auto again = ask("/", {{"Accept", "text/html"}, {"If-None-Match", "\"other\", W/" + tag}});
  EXPECT_EQ(again.status, net::Status::not_modified);
  EXPECT_THAT(again.body, IsEmpty());
  EXPECT_EQ(ask("/", {{"Accept", "text/html"}, {"If-None-Match", "\"other\""}}).status, net::Status::ok);
  std::smatch script;
  ASSERT_TRUE(std::regex_search(first.body, script, std::regex("src=\"(/assets/[^\"]+)\"")));
  auto asset = ask(script[1], {});
  EXPECT_EQ(asset.status, net::Status::ok);
  EXPECT_EQ(asset.headers.get("Cache-Control"), "public, max-age=31536000, immutable");
  EXPECT_EQ(asset.headers.get("Content-Type"), "text/javascript; charset=utf-8");
}

TEST_F(Pages, AreSentAsTheBrowserTakesThem) {
  for (const auto& file : page_files()) {
    if (!file.path.starts_with("/assets/")) continue;
    const std::string path(file.path);
    EXPECT_EQ(ask(path, {}).body, file.plain) << path;
    if (file.gzip.empty()) continue;
    EXPECT_LT(file.gzip.size(), file.plain.size());
    EXPECT_EQ(unpacked(file.gzip, file.plain.size()), file.plain) << path;
    auto gzip = ask(path, {{"Accept-Encoding", "gzip, br;q=0"}});
    EXPECT_EQ(gzip.headers.get("Content-Encoding"), "gzip") << path;
    EXPECT_EQ(gzip.body, file.gzip) << path;
    auto brotli = ask(path, {{"Accept-Encoding", "gzip, deflate, br"}});
    EXPECT_EQ(brotli.headers.get("Content-Encoding"), "br") << path;
    EXPECT_EQ(brotli.body, file.brotli) << path;
    EXPECT_EQ(brotli.headers.get("Vary"), "Accept-Encoding");
  }
}

TEST_F(Pages, AreFoundByTheirPath) {
  auto files = page_files();
  EXPECT_TRUE(std::ranges::is_sorted(files, {}, &PageFile::path));
  for (const auto& file : files) EXPECT_THAT(std::string(file.path), Not(HasSubstr("/.")));
}

TEST(PageAddresses, NoOwnerMayHave) {
  auto names = quoted_in(source("web/src/reserved.ts"), '\'');
  ASSERT_FALSE(names.empty());
  for (const auto& name : names) EXPECT_FALSE(git::parse_full_name(name + "/x")) << name;
}

}  // namespace
}  // namespace headrace::server
