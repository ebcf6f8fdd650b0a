// Who does a thing: on every command from the first, and in the `actor` attribute of every event.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace headrace::core {

struct Actor {
  enum class Kind {
    anonymous,  // nobody signed in
    user,       // a person, by account name
    runner,     // a runner process, by name
    job,        // a job of a repository, by the repository's "owner/name"
    service,    // a service of the platform, acting on an event
    system,     // the platform itself, and who holds its data folder (the operator's offline commands)
  };
  Kind kind = Kind::anonymous;
  std::string name;  // of the account, runner, repository or service; empty for anonymous and system

  static Actor user(std::string name) { return {Kind::user, std::move(name)}; }
  static Actor runner(std::string name) { return {Kind::runner, std::move(name)}; }
  static Actor job(std::string repository) { return {Kind::job, std::move(repository)}; }
  static Actor service(std::string name) { return {Kind::service, std::move(name)}; }
  static Actor system() { return {Kind::system, {}}; }

  bool operator==(const Actor&) const = default;
};

// "user:alice", "runner:local", "job:team/hello", "service:pipeline", "system", "anonymous"; parse_actor reads it back.
std::string to_string(const Actor& actor);
Result<Actor> parse_actor(std::string_view text);

}  // namespace headrace::core
