#include "events/identity.h"

#include "events/codec.h"

namespace headrace::events {

using codec::Is;
using enum codec::Presence;

template <class Visit>
void fields(Visit& visit, Is<UserCreated> auto& it) {
  visit.subject("user", it.user, "Name of the account.");
  visit.own("id", it.id, always, "Number of the account, unique in the platform.");
  visit.own("administrator", it.administrator, always, "It may do everything from the start.");
}

template <class Visit>
void fields(Visit& visit, Is<UserDisabled> auto& it) {
  visit.subject("user", it.user, "Name of the account.");
  visit.own("reason", it.reason, where_known, "Why, for people.");
}

template <class Visit>
void fields(Visit& visit, Is<UserEnabled> auto& it) {
  visit.subject("user", it.user, "Name of the account.");
}

template <class Visit>
void fields(Visit& visit, Is<TokenCreated> auto& it) {
  visit.subject("token", it.token, "Id of the token, which is not its secret.");
  visit.own("user", it.user, where_known, "Account it acts for.");
  visit.own("runner", it.runner, where_known, "Runner it was made for, by name, where it acts for no account.");
  visit.own("name", it.name, where_known, "For people: laptop.");
  visit.own("scopes", it.scopes, always, "What it may be used for.");
  visit.own("expires_at", it.expires_at, where_known, "When it stops to work; absent: never.");
}

template <class Visit>
void fields(Visit& visit, Is<TokenRevoked> auto& it) {
  visit.subject("token", it.token, "Id of the token.");
  visit.own("user", it.user, where_known, "Account it acted for; absent: it was a runner's.");
}

template <class Visit>
void fields(Visit& visit, Is<RoleGranted> auto& it) {
  visit.subject("user", it.user, "Name of the account.");
  visit.own("role", it.role, always, "admin, write or read.");
  visit.own("scope", it.scope, always, "Where: *, an owner, or owner/name of a repository.");
}

template <class Visit>
void fields(Visit& visit, Is<RoleRevoked> auto& it) {
  visit.subject("user", it.user, "Name of the account.");
  visit.own("role", it.role, always, "admin, write or read.");
  visit.own("scope", it.scope, always, "Where: *, an owner, or owner/name of a repository.");
}

HEADRACE_EVENTS_WORD(UserCreated)
HEADRACE_EVENTS_WORD(UserDisabled)
HEADRACE_EVENTS_WORD(UserEnabled)
HEADRACE_EVENTS_WORD(TokenCreated)
HEADRACE_EVENTS_WORD(TokenRevoked)
HEADRACE_EVENTS_WORD(RoleGranted)
HEADRACE_EVENTS_WORD(RoleRevoked)

std::vector<codec::Entry> codec::identity_words() {
  constexpr std::string_view service = "identity";
  return {
      entry<UserCreated>("UserCreated", service, "An account was made."),
      entry<UserDisabled>("UserDisabled", service, "An account may no longer be used, nor any of its tokens."),
      entry<UserEnabled>("UserEnabled", service, "A disabled account may be used again."),
      entry<TokenCreated>("TokenCreated", service,
                          "An access token was made. Its secret is shown once and stored nowhere."),
      entry<TokenRevoked>("TokenRevoked", service, "An access token works no longer."),
      entry<RoleGranted>("RoleGranted", service, "An account got a role somewhere."),
      entry<RoleRevoked>("RoleRevoked", service, "An account lost a role somewhere."),
  };
}

}  // namespace headrace::events
