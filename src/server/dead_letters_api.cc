#include "server/answers.h"
#include "server/event_json.h"
#include "server/request.h"
#include "server/subscription_json.h"
#include "server/subscriptions_api.h"

namespace headrace::server {

using core::Code;
using core::Result;
using core::Task;

namespace {

Result<log::Offset> offset_in(const Call& call) {
  auto offset = number_of(call.capture("offset"));
  if (offset && *offset > 0) return *offset;
  return core::fail(Code::invalid,
                    "A dead letter is named by its subscription and the offset of its event, a number from 1.");
}

// Of each its event, by log and offset; null where the log cannot be read there. Blocks.
core::json::array with_their_events(log::EventLog& log, const std::vector<bus::DeadLetter>& letters) {
  core::json::array all;
  for (const auto& letter : letters) {
    auto one = of(letter);
    one["event"] = nullptr;
    if (auto stored = log.read(letter.offset, 1); stored && !stored->empty())
      one["event"] = core::json::object{{"id", stored->front().event.id},
                                        {"type", stored->front().event.type},
                                        {"subject", stored->front().event.subject},
                                        {"time", core::format_time(stored->front().time)}};
    all.push_back(std::move(one));
  }
  return all;
}

Task<Result<>> list(Platform& platform, Call& call) {
  auto letters = platform.bus.dead_letters(call.query("subscription"));
  if (!letters) co_return std::unexpected(letters.error());
  auto reading = [&log = platform.log, letters = std::move(*letters)] { return with_their_events(log, letters); };
  auto all = co_await core::blocking(platform.git_reads, std::move(reading));
  if (!all) co_return std::unexpected(all.error());
  core::json::object answer;
  answer["dead_letters"] = std::move(*all);
  co_return co_await call.exchange.respond(json_answer(answer));
}

Task<Result<>> show(Platform& platform, Call& call) {
  auto offset = offset_in(call);
  if (!offset) co_return std::unexpected(offset.error());
  auto letters = platform.bus.dead_letters(call.capture("name"), *offset - 1);
  if (!letters) co_return std::unexpected(letters.error());
  if (letters->empty() || letters->front().offset != *offset)
    co_return core::fail(Code::not_found, "The subscription '" + call.capture("name") +
                                              "' has no dead letter of the event at " + std::to_string(*offset) + ".");
  auto stored = platform.log.read(*offset, 1);
  if (!stored) co_return std::unexpected(stored.error());
  std::string letter = core::to_text(of(letters->front()));
  std::string event = stored->empty() ? "null" : event_text(stored->front());
  co_return co_await call.exchange.respond(net::make_response(
      net::Status::ok, letter.substr(0, letter.size() - 1) + ",\"event\":" + event + "}\n", "application/json"));
}

Task<Result<>> replay(Platform& platform, Call& call) {
  auto offset = offset_in(call);
  if (!offset) co_return std::unexpected(offset.error());
  auto replayed = co_await platform.bus.replay(call.caller.actor, call.capture("name"), *offset);
  if (!replayed) co_return replayed;
  co_return co_await call.exchange.respond(no_content());
}

Task<Result<>> discard(Platform& platform, Call& call) {
  auto offset = offset_in(call);
  if (!offset) co_return std::unexpected(offset.error());
  std::string reason = call.query("reason").empty() ? "discarded by hand" : call.query("reason");
  auto discarded = co_await platform.bus.discard(call.caller.actor, call.capture("name"), *offset, std::move(reason));
  if (!discarded) co_return discarded;
  co_return co_await call.exchange.respond(no_content());
}

}  // namespace

void add_dead_letter_routes(Router& router, Platform& platform) {
  const std::string one = "/api/v1/dead-letters/{name}/{offset}";
  router.add({net::Method::get,
              "/api/v1/dead-letters",
              Right::read_events,
              {"Deliveries that were given up, oldest first",
               "dead letters",
               {{"subscription", "only of this one"}},
               {},
               json_body("DeadLetters")},
              [&platform](Call& call) { return list(platform, call); }});
  router.add({net::Method::get,
              one,
              Right::read_events,
              {"One of them, with its event", "dead letters", {}, {}, json_body("DeadLetterWithEvent")},
              [&platform](Call& call) { return show(platform, call); }});
  router.add({net::Method::post,
              one + "/replay",
              Right::operate,
              {"Deliver it again", "dead letters", {}, {}, {}, 204},
              [&platform](Call& call) { return replay(platform, call); }});
  router.add({net::Method::post,
              one + "/discard",
              Right::operate,
              {"Let it be, and let later events of its key go on",
               "dead letters",
               {{"reason", "for the record"}},
               {},
               {},
               204},
              [&platform](Call& call) { return discard(platform, call); }});
}

}  // namespace headrace::server
