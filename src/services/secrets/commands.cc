// What may be asked of secrets, variables and environments.
#include <algorithm>

#include "services/secrets/impl.h"

namespace headrace::secrets {

using core::Code;
using core::fail;
using core::Result;
using core::Task;

namespace {

std::unexpected<core::Error> nothing_called(Kind kind, const Place& place, const std::string& name) {
  return fail(Code::not_found,
              "There is no " + std::string(name_of(kind)) + " " + name + " at " + to_text(place) + ".");
}

std::string visibility_of(const Place& place, const Audience& audience) {
  return place.is_owner() ? std::string(name_of(audience.visibility)) : std::string();
}
std::vector<int64_t> repositories_in(const Place& place, const Audience& audience) {
  if (!place.is_owner() || audience.visibility != Visibility::selected) return {};
  auto list = audience.repositories;
  std::ranges::sort(list);
  list.erase(std::ranges::unique(list).begin(), list.end());
  return list;
}

std::string variable_id(const Place& place, const std::string& name) {
  if (place.environment.empty()) return place.scope + "/" + name;
  return place.scope + "/environments/" + place.environment + "/" + name;
}

// Place and name of a command, looked at before anything is done.
Result<std::string> checked(Kind kind, const Place& place, const std::string& name) {
  if (auto good = check_place(place); !good) return std::unexpected(good.error());
  return checked_name(kind, name);
}

events::SecretSet secret_set(const Place& place, const std::string& name, const std::string& id,
                             const Audience& audience) {
  return {.secret = id,
          .scope = place.scope,
          .environment = place.environment,
          .name = name,
          .visibility = visibility_of(place, audience),
          .repositories = repositories_in(place, audience)};
}

}  // namespace

// --- Secrets

Task<Result<bool>> Secrets::set_secret(core::Actor by, Place place, std::string name, std::string value,
                                       Audience audience) {
  auto kept_name = checked(Kind::secret, place, name);
  if (!kept_name) co_return std::unexpected(kept_name.error());
  if (auto good = check_value(Kind::secret, value); !good) co_return std::unexpected(good.error());
  std::string id = impl_->parts.ids.next();
  impl_->under_way.insert(id);
  auto kept = co_await impl_->keep(id, std::move(value));
  if (!kept) {
    impl_->under_way.erase(id);  // whatever is there of it, nothing names it: the next start removes it
    co_return std::unexpected(kept.error());
  }
  auto before = std::make_shared<std::string>();
  Impl::Decide decide = [this, by, place, name = *kept_name, id, audience,
                         before](sqlite::Connection& tables) -> Result<log::Batch> {
    before->clear();
    auto where = Impl::known(tables, place);
    if (!where) return std::unexpected(where.error());
    if (auto good = Impl::check_audience(tables, *where, audience); !good) return std::unexpected(good.error());
    auto found = find_secret(tables, *where, name);
    if (!found) return std::unexpected(found.error());
    if (*found) *before = (*found)->id;
    if (auto room = *found ? Result<>() : Impl::check_room(tables, Kind::secret, *where); !room)
      return std::unexpected(room.error());
    log::Batch batch;
    if (auto made = impl_->ensure_environment(tables, batch, by, *where); !made) return std::unexpected(made.error());
    impl_->say(batch, by, secret_set(*where, name, id, audience));
    return batch;
  };
  auto said = co_await impl_->command(std::move(decide));
  std::optional<core::Error> refused;
  if (!said) refused = said.error();
  co_await impl_->settle_value(id, std::move(refused));
  if (!said) co_return std::unexpected(said.error());
  if (before->empty()) co_return true;
  std::vector<std::string> replaced{*before};
  co_await impl_->let_go(std::move(replaced));
  co_return false;
}

Task<Result<>> Secrets::set_secret_audience(core::Actor by, Place place, std::string name, Audience audience) {
  auto kept_name = checked(Kind::secret, place, name);
  if (!kept_name) co_return std::unexpected(kept_name.error());
  Impl::Decide decide = [this, by, place, name = *kept_name,
                         audience](sqlite::Connection& tables) -> Result<log::Batch> {
    if (auto good = Impl::check_audience(tables, place, audience); !good) return std::unexpected(good.error());
    auto found = find_secret(tables, place, name);
    if (!found) return std::unexpected(found.error());
    if (!*found) return nothing_called(Kind::secret, place, name);
    log::Batch batch;
    impl_->say(batch, by, secret_set((*found)->place, name, (*found)->id, audience));
    return batch;
  };
  co_return co_await impl_->command(std::move(decide));
}

Task<Result<>> Secrets::remove_secret(core::Actor by, Place place, std::string name) {
  auto kept_name = checked(Kind::secret, place, name);
  if (!kept_name) co_return std::unexpected(kept_name.error());
  auto id = std::make_shared<std::string>();
  Impl::Decide decide = [this, by, place, name = *kept_name, id](sqlite::Connection& tables) -> Result<log::Batch> {
    auto found = find_secret(tables, place, name);
    if (!found) return std::unexpected(found.error());
    if (!*found) return nothing_called(Kind::secret, place, name);
    *id = (*found)->id;
    log::Batch batch;
    impl_->say(
        batch, by,
        events::SecretRemoved{
            .secret = *id, .scope = (*found)->place.scope, .environment = (*found)->place.environment, .name = name});
    return batch;
  };
  auto said = co_await impl_->command(std::move(decide));
  if (!said) co_return said;
  std::vector<std::string> removed{*id};
  co_await impl_->let_go(std::move(removed));
  co_return Result<>();
}

// --- Variables

namespace {

// What the variable is to be, given what it is; the command's own wishes are in `change`.
Result<Variable> changed(std::optional<Variable> found, const Place& where, const std::string& name,
                         const Secrets::VariableChange& change) {
  if (found && change.existing == Existing::absent)
    return fail(Code::conflict, "There is a variable " + name + " at " + to_text(where) + " already.");
  if (!found && change.existing == Existing::present) return nothing_called(Kind::variable, where, name);
  if (!found && !change.value) return fail(Code::invalid, "The variable " + name + " needs a value.");
  Variable made = found.value_or(Variable{.place = where, .name = name, .value = {}, .audience = {}});
  if (change.value) made.value = *change.value;
  if (change.audience) made.audience = *change.audience;
  return made;
}

events::VariableRemoved removal_of(const Variable& variable) {
  return {.variable = variable_id(variable.place, variable.name),
          .scope = variable.place.scope,
          .environment = variable.place.environment,
          .name = variable.name};
}

Result<> check_bytes(sqlite::Connection& tables, const std::optional<Variable>& before, const Variable& after) {
  auto bytes = variable_bytes(tables, after.place);
  if (!bytes) return std::unexpected(bytes.error());
  size_t others = static_cast<size_t>(*bytes) - (before ? before->name.size() + before->value.size() : 0);
  if (others + after.name.size() + after.value.size() <= variables_bytes_max) return {};
  return fail(Code::invalid, "All variables at " + to_text(after.place) +
                                 " together may take 256 KB, and this one would not fit; delete some, or keep what is "
                                 "large in a file of the repository.");
}

}  // namespace

Task<Result<bool>> Secrets::set_variable(core::Actor by, Place place, VariableChange change) {
  auto name = checked(Kind::variable, place, change.name);
  if (!name) co_return std::unexpected(name.error());
  auto new_name = change.new_name ? checked_name(Kind::variable, *change.new_name) : *name;
  if (!new_name) co_return std::unexpected(new_name.error());
  if (auto good = change.value ? check_value(Kind::variable, *change.value) : Result<>(); !good)
    co_return std::unexpected(good.error());
  auto is_new = std::make_shared<bool>(false);
  Impl::Decide decide = [this, by, place, name = *name, new_name = *new_name, change,
                         is_new](sqlite::Connection& tables) -> Result<log::Batch> {
    auto where = Impl::known(tables, place);
    if (!where) return std::unexpected(where.error());
    auto found = find_variable(tables, *where, name);
    if (!found) return std::unexpected(found.error());
    *is_new = !found->has_value();
    auto after = changed(*found, *where, name, change);
    if (!after) return std::unexpected(after.error());
    if (auto good = Impl::check_audience(tables, *where, after->audience); !good) return std::unexpected(good.error());
    if (auto room = *found ? Result<>() : Impl::check_room(tables, Kind::variable, *where); !room)
      return std::unexpected(room.error());
    if (auto room = check_bytes(tables, *found, *after); !room) return std::unexpected(room.error());
    log::Batch batch;
    if (auto made = impl_->ensure_environment(tables, batch, by, *where); !made) return std::unexpected(made.error());
    if (new_name != name) {
      auto taken = find_variable(tables, *where, new_name);
      if (!taken) return std::unexpected(taken.error());
      if (*taken)
        return fail(Code::conflict, "There is a variable " + new_name + " at " + to_text(*where) + " already.");
      if (*found) impl_->say(batch, by, removal_of(**found));
    }
    impl_->say(batch, by,
               events::VariableSet{.variable = variable_id(after->place, new_name),
                                   .scope = after->place.scope,
                                   .environment = after->place.environment,
                                   .name = new_name,
                                   .value = after->value,
                                   .visibility = visibility_of(after->place, after->audience),
                                   .repositories = repositories_in(after->place, after->audience)});
    return batch;
  };
  auto said = co_await impl_->command(std::move(decide));
  if (!said) co_return std::unexpected(said.error());
  co_return *is_new;
}

Task<Result<>> Secrets::remove_variable(core::Actor by, Place place, std::string name) {
  auto kept_name = checked(Kind::variable, place, name);
  if (!kept_name) co_return std::unexpected(kept_name.error());
  Impl::Decide decide = [this, by, place, name = *kept_name](sqlite::Connection& tables) -> Result<log::Batch> {
    auto found = find_variable(tables, place, name);
    if (!found) return std::unexpected(found.error());
    if (!*found) return nothing_called(Kind::variable, place, name);
    log::Batch batch;
    impl_->say(batch, by, removal_of(**found));
    return batch;
  };
  co_return co_await impl_->command(std::move(decide));
}

// --- Environments

Task<Result<Environment>> Secrets::create_environment(core::Actor by, std::string repository, std::string name) {
  Place place{repository, name};
  if (auto good = check_place(place); !good) co_return std::unexpected(good.error());
  if (auto good = check_environment_name(name); !good) co_return std::unexpected(good.error());
  Impl::Decide decide = [this, by, place](sqlite::Connection& tables) -> Result<log::Batch> {
    auto where = Impl::known(tables, place);
    if (!where) return std::unexpected(where.error());
    log::Batch batch;
    if (auto made = impl_->ensure_environment(tables, batch, by, *where); !made) return std::unexpected(made.error());
    return batch;
  };
  auto said = co_await impl_->command(std::move(decide));
  if (!said) co_return std::unexpected(said.error());
  co_return co_await environment(std::move(repository), std::move(name));
}

Task<Result<>> Secrets::remove_environment(core::Actor by, std::string repository, std::string name) {
  auto values = std::make_shared<std::vector<std::string>>();
  Impl::Decide decide = [this, by, repository, name, values](sqlite::Connection& tables) -> Result<log::Batch> {
    auto found = Impl::known_environment(tables, repository, name);
    if (!found) return std::unexpected(found.error());
    auto inside = secrets_at(tables, {repository, name});
    if (!inside) return std::unexpected(inside.error());
    values->clear();
    for (const auto& secret : *inside) values->push_back(secret.id);
    log::Batch batch;
    impl_->say(batch, by,
               events::EnvironmentDeleted{.environment = environment_id(found->repository, found->name),
                                          .name = found->name,
                                          .repository = found->repository});
    return batch;
  };
  auto said = co_await impl_->command(std::move(decide));
  if (!said) co_return said;
  co_await impl_->let_go(*values);
  co_return Result<>();
}

}  // namespace headrace::secrets
