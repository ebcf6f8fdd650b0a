#include "server/readings.h"

#include <algorithm>

#include "server/request.h"

namespace headrace::server {

using core::Code;
using core::Result;
using core::Task;

namespace {

constexpr std::string_view offset_header = "X-Headrace-Offset";
constexpr std::string_view after_header = "X-Headrace-After";

Task<Result<>> wait_for(Platform& platform, std::string wanted) {
  const auto offset = number_of(wanted);
  if (!offset)
    co_return core::fail(Code::invalid, std::string(after_header) + " is the offset of an event, such as 81204; \"" +
                                            wanted.substr(0, 40) + "\" is none.");
  const auto shown = co_await platform.store.all_show(*offset, shown_wait_max);
  (void)shown;  // where it did not come to it, the answer says how far it is
  co_return Result<>();
}

bool is_of_the_past(const net::Request& request) {
  return std::ranges::any_of(request.query, [](const auto& one) { return one.name == "at" && !one.value.empty(); });
}

}  // namespace

Shown Shown::reading(std::optional<store::Offset> offset) {
  Shown shown;
  if (!offset) return shown;
  shown.kind_ = Kind::reading;
  shown.offset_ = *offset;
  return shown;
}

Shown Shown::command() {
  Shown shown;
  shown.kind_ = Kind::command;
  return shown;
}

void Shown::say(const Platform& platform, net::Response& answer) const {
  if (kind_ == Kind::nothing || static_cast<int>(answer.status) >= 300) return;
  answer.headers.set(std::string(offset_header),
                     std::to_string(kind_ == Kind::command ? platform.log.durable() : offset_));
}

Task<Result<Shown>> shown_by(Platform& platform, const Route& route, const net::Request& request) {
  if (!route.pattern.starts_with("/api/") || route.right == Right::anyone) co_return Shown();
  if (request.method != net::Method::get && request.method != net::Method::head) co_return Shown::command();
  if (is_of_the_past(request)) co_return Shown();
  if (request.headers.contains(after_header)) {
    auto waited = co_await wait_for(platform, std::string(request.headers.get(after_header)));
    if (!waited) co_return std::unexpected(waited.error());
  }
  co_return Shown::reading(platform.store.shown());
}

}  // namespace headrace::server
