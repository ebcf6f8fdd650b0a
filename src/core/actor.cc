#include "core/actor.h"

#include <array>
#include <utility>

namespace headrace::core {

namespace {

constexpr std::array<std::pair<Actor::Kind, std::string_view>, 6> words{{{Actor::Kind::anonymous, "anonymous"},
                                                                         {Actor::Kind::user, "user"},
                                                                         {Actor::Kind::runner, "runner"},
                                                                         {Actor::Kind::job, "job"},
                                                                         {Actor::Kind::service, "service"},
                                                                         {Actor::Kind::system, "system"}}};

bool has_name(Actor::Kind kind) { return kind != Actor::Kind::anonymous && kind != Actor::Kind::system; }

}  // namespace

std::string to_string(const Actor& actor) {
  for (const auto& [kind, word] : words)
    if (kind == actor.kind) return has_name(kind) ? std::string(word) + ":" + actor.name : std::string(word);
  return "anonymous";
}

Result<Actor> parse_actor(std::string_view text) {
  auto colon = text.find(':');
  auto word = text.substr(0, colon);
  const bool named = colon != std::string_view::npos;
  auto name = named ? text.substr(colon + 1) : std::string_view{};
  for (const auto& [kind, expected] : words)
    if (word == expected && has_name(kind) == named && named == !name.empty()) return Actor{kind, std::string(name)};
  return fail(
      Code::invalid,
      "'" + std::string(text.substr(0, 100)) +
          "' is not an actor; it is user:NAME, runner:NAME, job:OWNER/NAME, service:NAME, system or anonymous.");
}

}  // namespace headrace::core
