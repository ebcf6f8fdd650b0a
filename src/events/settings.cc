#include "events/settings.h"

#include "events/codec.h"

namespace headrace::events {

using codec::Is;
using enum codec::Presence;

namespace {

constexpr std::string_view scope_words = "Where: an owner, or owner/name of a repository.";
constexpr std::string_view environment_words = "Environment of the repository; absent: for all of its jobs.";
constexpr std::string_view name_words = "Its name, in upper case.";
constexpr std::string_view visibility_words =
    "Of an owner's: all or private (all repositories of the owner), or selected.";
constexpr std::string_view repositories_words = "Numbers of the selected repositories.";

}  // namespace

template <class Visit>
void fields(Visit& visit, Is<SecretSet> auto& it) {
  visit.subject("secret", it.secret, "Id under which the vault has the value, which is in no event.");
  visit.own("scope", it.scope, always, scope_words);
  visit.own("environment", it.environment, where_known, environment_words);
  visit.own("name", it.name, always, name_words);
  visit.own("visibility", it.visibility, where_known, visibility_words);
  visit.own("repositories", it.repositories, where_known, repositories_words);
  visit.ordered_by(it.scope);
}

template <class Visit>
void fields(Visit& visit, Is<SecretRemoved> auto& it) {
  visit.subject("secret", it.secret, "Id that the value had in the vault.");
  visit.own("scope", it.scope, always, scope_words);
  visit.own("environment", it.environment, where_known, environment_words);
  visit.own("name", it.name, always, name_words);
  visit.ordered_by(it.scope);
}

template <class Visit>
void fields(Visit& visit, Is<VariableSet> auto& it) {
  visit.subject("variable", it.variable, "Its scope, environment and name: team/hello/environments/prod/REGION.");
  visit.own("scope", it.scope, always, scope_words);
  visit.own("environment", it.environment, where_known, environment_words);
  visit.own("name", it.name, always, name_words);
  visit.own("value", it.value, always, "Its value, for everybody to see who reads events of the repository.");
  visit.own("visibility", it.visibility, where_known, visibility_words);
  visit.own("repositories", it.repositories, where_known, repositories_words);
  visit.ordered_by(it.scope);
}

template <class Visit>
void fields(Visit& visit, Is<VariableRemoved> auto& it) {
  visit.subject("variable", it.variable, "Its scope, environment and name.");
  visit.own("scope", it.scope, always, scope_words);
  visit.own("environment", it.environment, where_known, environment_words);
  visit.own("name", it.name, always, name_words);
  visit.ordered_by(it.scope);
}

template <class Visit>
void fields(Visit& visit, Is<EnvironmentCreated> auto& it) {
  visit.subject("environment", it.environment, "Full name of the environment: owner/name/environment.");
  visit.standard("name", it.name, always, "Its name, as it was written first.");
  visit.own("repository", it.repository, always, "Full name of the repository.");
  visit.ordered_by(it.repository);
}

template <class Visit>
void fields(Visit& visit, Is<EnvironmentDeleted> auto& it) {
  visit.subject("environment", it.environment, "Full name of the environment: owner/name/environment.");
  visit.standard("name", it.name, always, "Its name.");
  visit.own("repository", it.repository, always, "Full name of the repository.");
  visit.ordered_by(it.repository);
}

HEADRACE_EVENTS_WORD(SecretSet)
HEADRACE_EVENTS_WORD(SecretRemoved)
HEADRACE_EVENTS_WORD(VariableSet)
HEADRACE_EVENTS_WORD(VariableRemoved)
HEADRACE_EVENTS_WORD(EnvironmentCreated)
HEADRACE_EVENTS_WORD(EnvironmentDeleted)

std::vector<codec::Entry> codec::settings_words() {
  constexpr std::string_view service = "secrets";
  return {
      entry<SecretSet>("SecretSet", service,
                       "A secret has a value, or a new one; or others may have it. The value is in the vault alone."),
      entry<SecretRemoved>("SecretRemoved", service, "A secret is gone, and its value with it."),
      entry<VariableSet>("VariableSet", service, "A variable of workflows has a value, or a new one."),
      entry<VariableRemoved>("VariableRemoved", service, "A variable of workflows is gone."),
      entry<EnvironmentCreated>("EnvironmentCreated", service,
                                "A repository has an environment: somebody made it, or used it for the first time."),
      entry<EnvironmentDeleted>("EnvironmentDeleted", service,
                                "An environment is gone, with its secrets and variables."),
  };
}

}  // namespace headrace::events
