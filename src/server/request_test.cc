#include "server/request.h"

#include <gmock/gmock.h>

#include "server/answers.h"

namespace headrace::server {
namespace {

using ::testing::HasSubstr;

std::string trouble(std::string_view text, const std::vector<Member>& members) {
  auto good = check_members(core::parse_json(text).value(), members);
  return good ? "" : good.error().message;
}

TEST(Members, OfTheRightKindAreTakenAndNullIsAbsence) {
  const std::vector<Member> members{
      {"name", Kind::text}, {"days", Kind::integer}, {"on", Kind::boolean}, {"scopes", Kind::list_of_text}};
  EXPECT_EQ(trouble(R"({"name":"a","days":3,"on":false,"scopes":["x"]})", members), "");
  EXPECT_EQ(trouble(R"({"name":null,"scopes":[]})", members), "");
  EXPECT_EQ(trouble("{}", members), "");
}

TEST(Members, OfTheWrongKindAreRefusedByName) {
  const std::vector<Member> members{
      {"name", Kind::text}, {"days", Kind::integer}, {"on", Kind::boolean}, {"scopes", Kind::list_of_text}};
  EXPECT_THAT(trouble(R"({"days":"90"})", members), HasSubstr("'days' is an integer"));
  EXPECT_THAT(trouble(R"({"days":1.5})", members), HasSubstr("'days' is an integer"));
  EXPECT_THAT(trouble(R"({"days":18446744073709551615})", members), HasSubstr("'days' is an integer"));
  EXPECT_THAT(trouble(R"({"name":5})", members), HasSubstr("'name' is a string"));
  EXPECT_THAT(trouble(R"({"on":"true"})", members), HasSubstr("'on' is true or false"));
  EXPECT_THAT(trouble(R"({"scopes":"repo:read"})", members), HasSubstr("'scopes' is a list of strings"));
  EXPECT_THAT(trouble(R"({"scopes":["repo:read",1]})", members), HasSubstr("'scopes' is a list of strings"));
}

TEST(Members, ThatAreNotKnownAreRefusedWithThoseThatAre) {
  const std::vector<Member> members{{"name", Kind::text}, {"scopes", Kind::list_of_text}};
  EXPECT_THAT(trouble(R"({"scope":["repo:read"]})", members), AllOf(HasSubstr("'scope'"), HasSubstr("name, scopes")));
  for (const char* text : {"[]", "5", "null", "\"text\""})
    EXPECT_THAT(trouble(text, members), HasSubstr("JSON object")) << text;
}

std::string query_trouble(std::string pattern, std::vector<net::Parameter> query) {
  Route route;
  route.pattern = std::move(pattern);
  route.about.parameters = {{"branch", ""}, {"limit", ""}};
  net::Request request;
  request.query = std::move(query);
  auto good = check_query(route, request);
  return good ? "" : good.error().message;
}

TEST(QueryParameters, ThatARouteOfOursDoesNotHaveAreRefusedWithThoseThatItHas) {
  EXPECT_EQ(query_trouble("/api/v1/runs", {}), "");
  EXPECT_EQ(query_trouble("/api/v1/runs", {{"limit", "1"}, {"branch", ""}}), "");
  EXPECT_THAT(query_trouble("/api/v1/runs", {{"limit", "1"}, {"barnch", "dev"}}),
              AllOf(HasSubstr("'barnch'"), HasSubstr("branch, limit")));
  EXPECT_THAT(query_trouble("/api/v1/runs", {{"limit", "1"}, {"limit", "2"}}), HasSubstr("'limit' is given twice"));
  EXPECT_EQ(query_trouble("/api/v3/repos/{owner}/{repo}/actions/runs", {{"check_suite_id", "1"}}), "")
      << "GitHub's clients send more than is known here";
  EXPECT_EQ(query_trouble("/{owner}/{repo}.git/info/refs", {{"service", "git-upload-pack"}}), "");
}

TEST(Numbers, AreDigitsOnlyAndFit) {
  EXPECT_EQ(number_of("0"), 0U);
  EXPECT_EQ(number_of("18446744073709551615"), UINT64_MAX);
  for (const char* text : {"", "-1", "+1", " 1", "1 ", "1x", "0x1", "18446744073709551616", "1.0"})
    EXPECT_FALSE(number_of(text)) << text;
}

TEST(Answers, HaveOneStatusForEachCode) {
  using core::Code;
  EXPECT_EQ(status_of(Code::invalid), net::Status::unprocessable_content);
  EXPECT_EQ(status_of(Code::unauthenticated), net::Status::unauthorized);
  EXPECT_EQ(status_of(Code::denied), net::Status::forbidden);
  EXPECT_EQ(status_of(Code::not_found), net::Status::not_found);
  EXPECT_EQ(status_of(Code::conflict), net::Status::conflict);
  EXPECT_EQ(status_of(Code::exhausted), net::Status::unavailable);
  EXPECT_EQ(status_of(Code::unavailable), net::Status::unavailable);
  EXPECT_EQ(status_of(Code::corrupt), net::Status::internal_error);
}

TEST(Answers, SayWhenToComeAgainAndHowToSignIn) {
  auto busy = answer_of(core::Error{core::Code::exhausted, "Busy.", "a path"});
  EXPECT_EQ(busy.headers.get("Retry-After"), "1");
  EXPECT_THAT(answer_of(core::Error{core::Code::unauthenticated, "Who?", {}}).headers.get("WWW-Authenticate"),
              HasSubstr("Basic"));
  EXPECT_EQ(busy.body, "{\"error\":{\"code\":\"exhausted\",\"message\":\"Busy.\"}}\n");
}

TEST(Answers, AreValidUtf8WhateverTheyTellOf) {
  auto answer = json_answer(core::json::object{{"path", "a\xff\xe2"}, {"next", "\"q\""}});
  EXPECT_EQ(answer.body, "{\"path\":\"a\xef\xbf\xbd\xef\xbf\xbd\",\"next\":\"\\\"q\\\"\"}\n");
}

}  // namespace
}  // namespace headrace::server
