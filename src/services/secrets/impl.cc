#include "services/secrets/impl.h"

#include <algorithm>

#include "core/diagnostics.h"

namespace headrace::secrets {

using core::Code;
using core::fail;
using core::Result;
using core::Task;

namespace {

constexpr std::chrono::seconds in_force_max{30};  // for the projection to show what was said

// What blocks, by itself: coroutines hold no captures.
Result<std::vector<std::optional<std::string>>> values_of(Safe& safe, const std::vector<std::string>& ids) {
  std::vector<std::optional<std::string>> values;
  for (const auto& id : ids) {
    auto value = safe.get(secret_kind, id);
    if (!value) return std::unexpected(value.error());
    values.push_back(std::move(*value));
  }
  return values;
}

// Nothing can have been said: the command was refused before it appended anything.
bool said_nothing(Code code) {
  return code == Code::invalid || code == Code::not_found || code == Code::conflict || code == Code::exhausted;
}

}  // namespace

std::string environment_id(const std::string& repository, const std::string& name) { return repository + "/" + name; }

Secrets::Impl::Impl(Parts on, std::unique_ptr<SealedBoxes> keys)
    : parts(on),
      boxes(std::move(keys)),
      strand(on.loop.executor(), on.store, on.bus.log(), std::string(projection_name)) {}

// --- Commands

Task<Result<>> Secrets::Impl::command(Decide decide) {
  store::CommandStrand::Check check = std::move(decide);
  auto outcome = co_await strand.run(std::move(check));
  if (!outcome) co_return std::unexpected(outcome.error());
  if (outcome->offsets.empty() || outcome->applied) co_return Result<>();
  co_return co_await parts.store.caught_up(std::string(projection_name), outcome->offsets.back(), in_force_max);
}

Result<Place> Secrets::Impl::known(sqlite::Connection& tables, Place place) {
  if (place.is_owner()) return place;
  auto repository = find_repository(tables, place.scope);
  if (!repository) return std::unexpected(repository.error());
  if (!*repository) return fail(Code::not_found, "There is no repository " + place.scope + ".");
  place.scope = (*repository)->full_name;
  return place;
}

Result<Environment> Secrets::Impl::known_environment(sqlite::Connection& tables, const std::string& repository,
                                                     const std::string& name) {
  auto found = find_environment(tables, repository, name);
  if (!found) return std::unexpected(found.error());
  if (!*found) return fail(Code::not_found, repository + " has no environment " + name.substr(0, name_bytes_max) + ".");
  return std::move(**found);
}

Result<> Secrets::Impl::check_audience(sqlite::Connection& tables, const Place& place, const Audience& audience) {
  if (audience.visibility != Visibility::selected) return {};
  if (!place.is_owner()) return fail(Code::invalid, "Only what is an owner's has selected repositories.");
  auto own = secrets::repositories_of(tables, place.scope);
  if (!own) return std::unexpected(own.error());
  for (int64_t id : audience.repositories)
    if (std::ranges::find(*own, id, &Repository::id) == own->end())
      return fail(Code::invalid, "There is no repository number " + std::to_string(id) + " of " + place.scope + ".");
  return {};
}

Result<> Secrets::Impl::check_room(sqlite::Connection& tables, Kind kind, const Place& place) {
  auto count = count_of(tables, kind, place);
  if (!count) return std::unexpected(count.error());
  auto most = count_max(kind, place);
  if (std::cmp_less(*count, most)) return {};
  return fail(Code::invalid, "There are " + std::to_string(most) + " " + std::string(name_of(kind)) + "s at " +
                                 to_text(place) + " already, and no more may be; delete one first.");
}

Result<> Secrets::Impl::ensure_environment(sqlite::Connection& tables, log::Batch& batch, const core::Actor& actor,
                                           const Place& place) const {
  if (place.environment.empty()) return {};
  auto found = find_environment(tables, place.scope, place.environment);
  if (!found) return std::unexpected(found.error());
  if (*found) return {};
  auto all = environments_of(tables, place.scope);
  if (!all) return std::unexpected(all.error());
  if (all->size() >= environments_a_repository_max)
    return fail(Code::invalid, place.scope + " has 1000 environments, and no more may be; delete one first.");
  say(batch, actor,
      events::EnvironmentCreated{.environment = environment_id(place.scope, place.environment),
                                 .name = place.environment,
                                 .repository = place.scope});
  return {};
}

// --- Values

Task<Result<>> Secrets::Impl::keep(std::string id, std::string value) {
  if (!parts.pool) co_return parts.safe.put(secret_kind, id, value);
  auto work = [&safe = parts.safe, id = std::move(id), value = std::move(value)] {
    return safe.put(secret_kind, id, value);
  };
  co_return co_await core::blocking(*parts.pool, std::move(work));
}

Task<Result<>> Secrets::Impl::drop(std::string id) {
  if (!parts.pool) co_return parts.safe.remove(secret_kind, id);
  auto work = [&safe = parts.safe, id = std::move(id)] { return safe.remove(secret_kind, id); };
  co_return co_await core::blocking(*parts.pool, std::move(work));
}

Task<Result<std::vector<std::optional<std::string>>>> Secrets::Impl::look_up(std::vector<std::string> ids) {
  if (!parts.pool) co_return values_of(parts.safe, ids);
  auto work = [&safe = parts.safe, ids = std::move(ids)] { return values_of(safe, ids); };
  co_return co_await core::blocking(*parts.pool, std::move(work));
}

// After the command that was to name the value. Where it is not certain that nothing was said, the value stays: the
// next start knows.
Task<> Secrets::Impl::settle_value(std::string id, std::optional<core::Error> refused) {
  if (refused && !said_nothing(refused->code)) co_return;
  if (refused) {
    auto dropped = co_await drop(id);
    if (!dropped) co_return;  // as well for the next start
  }
  under_way.erase(id);
}

// What cannot be removed now is removed by the next start: nothing names it.
Task<> Secrets::Impl::let_go(std::vector<std::string> ids) {
  for (auto& id : ids) {
    auto dropped = co_await drop(std::move(id));
    if (dropped) continue;
    core::diagnose(core::Level::warning, "secrets",
                   "a value that nothing names stays until the next start: " + dropped.error().message);
    co_return;
  }
}

// Values are listed before the names are read: one that is named by then, or under way, is no stray.
Task<Result<>> Secrets::Impl::drop_strays() {
  Result<std::vector<std::string>> kept;
  if (parts.pool) {
    auto list = [&safe = parts.safe] { return safe.ids(secret_kind); };
    kept = co_await core::blocking(*parts.pool, std::move(list));
  } else {
    kept = parts.safe.ids(secret_kind);
  }
  if (!kept) co_return std::unexpected(kept.error());
  auto named = parts.store.read_here(projection_name, std::nullopt, all_secret_ids);
  if (!named) co_return std::unexpected(named.error());
  std::vector<std::string> strays;
  for (const auto& id : *kept)
    if (!std::ranges::binary_search(*named, id) && !under_way.contains(id)) strays.push_back(id);
  for (auto& id : strays)
    if (auto dropped = co_await drop(std::move(id)); !dropped) co_return dropped;
  co_return Result<>();
}

}  // namespace headrace::secrets
