#include "server/request.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "server/answers.h"

namespace headrace::server {

using core::Code;
using core::Result;
using core::Task;
namespace json = core::json;

namespace {

bool is(const json::value& value, Kind kind) {
  switch (kind) {
    case Kind::text: return value.is_string();
    case Kind::integer: return value.is_int64();
    case Kind::boolean: return value.is_bool();
    case Kind::any: return true;
    case Kind::list_of_text:
      return value.is_array() &&
             std::ranges::all_of(value.get_array(), [](const json::value& one) { return one.is_string(); });
  }
  return false;
}

std::string_view words_for(Kind kind) {
  switch (kind) {
    case Kind::text: return "a string";
    case Kind::integer: return "an integer";
    case Kind::boolean: return "true or false";
    case Kind::list_of_text: return "a list of strings";
    case Kind::any: break;
  }
  return "";
}

std::string known(const auto& members) {
  std::string names;
  for (const auto& member : members) names.append(names.empty() ? "" : ", ").append(member.name);
  return names;
}

}  // namespace

Result<> check_query(const Route& route, const net::Request& request) {
  if (!route.pattern.starts_with("/api/v1/")) return {};
  const auto& parameters = route.about.parameters;
  std::set<std::string_view> seen;
  for (const auto& [name, value] : request.query) {
    if (std::ranges::find(parameters, name, &QueryParameter::name) == parameters.end())
      return core::fail(Code::invalid,
                        "The query parameter '" + name.substr(0, 60) + "' is not known here; " +
                            (parameters.empty() ? "there are none." : "known: " + known(parameters) + "."));
    if (!seen.insert(name).second)
      return core::fail(Code::invalid, "The query parameter '" + name + "' is given twice.");
  }
  return {};
}

Result<> check_members(const json::value& value, const std::vector<Member>& members) {
  if (!value.is_object())
    return core::fail(Code::invalid, "The body is a JSON object with the members: " + known(members) + ".");
  for (const auto& [name, held] : value.get_object()) {
    auto member = std::ranges::find(members, std::string_view(name), &Member::name);
    if (member == members.end())
      return core::fail(Code::invalid, "There is no member '" + std::string(name).substr(0, 60) +
                                           "' here; there are: " + known(members) + ".");
    if (!held.is_null() && !is(held, member->kind))
      return core::fail(Code::invalid,
                        "The member '" + std::string(name) + "' is " + std::string(words_for(member->kind)) + ".");
  }
  return {};
}

Task<Result<std::string>> read_body(Call& call, size_t bytes_max) {
  auto body = co_await call.exchange.body(bytes_max);
  if (body || body.error().code != Code::exhausted) co_return body;
  // 413 whatever the table of codes says: to wait and try again would not help.
  auto answer = answer_of(net::Status::content_too_large, "exhausted", body.error().message);
  auto answered = co_await call.exchange.respond(std::move(answer));
  if (!answered) co_return std::unexpected(answered.error());
  co_return body;
}

Task<Result<json::value>> read_object(Call& call, size_t bytes_max, std::vector<Member> members) {
  auto body = co_await read_body(call, bytes_max);
  if (!body) co_return std::unexpected(body.error());
  auto value = core::parse_json(*body);
  if (!value) co_return value;
  if (auto good = check_members(*value, members); !good) co_return std::unexpected(good.error());
  co_return value;
}

std::optional<uint64_t> number_of(std::string_view text) {
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<uint64_t> number_in(const Call& call, std::string_view name, uint64_t least, uint64_t most, uint64_t otherwise) {
  auto text = call.query(name);
  if (text.empty()) return otherwise;
  auto number = number_of(text);
  if (number && *number >= least && *number <= most) return *number;
  std::string range = most == UINT64_MAX ? " from " + std::to_string(least)
                                         : " from " + std::to_string(least) + " to " + std::to_string(most);
  return core::fail(Code::invalid, std::string(name) + " is a number" + range + ", not '" + text.substr(0, 40) + "'.");
}

Result<bool> flag_in(const Call& call, std::string_view name) {
  auto text = call.query(name);
  if (text == "true") return true;
  if (text.empty() || text == "false") return false;
  return core::fail(Code::invalid, std::string(name) + " is true or false, not '" + text.substr(0, 40) + "'.");
}

}  // namespace headrace::server
