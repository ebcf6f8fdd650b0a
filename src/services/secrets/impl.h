// The inside of Secrets: how a command runs (impl.cc). What commands decide: commands.cc; what is heard: hearing.cc;
// queries and what jobs are given: queries.cc.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "events/settings.h"
#include "events/vocabulary.h"
#include "services/secrets/secrets.h"
#include "store/commands.h"

namespace headrace::secrets {

inline constexpr std::string_view service_name = "secrets";

std::string environment_id(const std::string& repository, const std::string& name);  // "team/hello/prod"

struct Secrets::Impl {
  Impl(Parts on, std::unique_ptr<SealedBoxes> keys);

  // Runs one after the other with all other commands: `decide` sees everything that was said before.
  using Decide = std::function<core::Result<log::Batch>(sqlite::Connection& tables)>;
  core::Task<core::Result<>> command(Decide decide);

  template <class T>
  void say(log::Batch& batch, const core::Actor& actor, const T& said) const {
    auto origin = batch.events.empty()
                      ? bus::Origin::root(std::string(service_name), actor)
                      : bus::Origin::because_of(batch.events.front(), std::string(service_name), actor);
    batch.events.push_back(events::encode(said, parts.bus.header(origin)));
  }
  // The place as its repository is spelled. not_found: there is no such repository.
  static core::Result<Place> known(sqlite::Connection& tables, Place place);
  static core::Result<Environment> known_environment(sqlite::Connection& tables, const std::string& repository,
                                                     const std::string& name);
  static core::Result<> check_audience(sqlite::Connection& tables, const Place& place, const Audience& audience);
  static core::Result<> check_room(sqlite::Connection& tables, Kind kind, const Place& place);  // for one more
  // environment.created, where it is not there.
  core::Result<> ensure_environment(sqlite::Connection& tables, log::Batch& batch, const core::Actor& actor,
                                    const Place& place) const;

  // --- Values. What is under way is named by no event yet, and still no stray.
  core::Task<core::Result<>> keep(std::string id, std::string value);
  core::Task<core::Result<>> drop(std::string id);
  core::Task<core::Result<std::vector<std::optional<std::string>>>> look_up(std::vector<std::string> ids);
  core::Task<core::Result<>> drop_strays();
  core::Task<> let_go(std::vector<std::string> ids);  // of values that nothing names any more
  core::Task<> settle_value(std::string id, std::optional<core::Error> refused);

  // --- hearing.cc
  core::Result<> subscribe();
  core::Task<core::Result<>> heard_job(bus::Delivery delivery);
  core::Task<core::Result<>> heard_deletion(bus::Delivery delivery);

  Parts parts;
  std::unique_ptr<SealedBoxes> boxes;
  store::CommandStrand strand;
  std::set<std::string> under_way;
};

}  // namespace headrace::secrets
