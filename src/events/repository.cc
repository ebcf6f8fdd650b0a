#include "events/repository.h"

#include "events/codec.h"

namespace headrace::events {

using codec::Is;
using enum codec::Presence;

template <class Visit>
void fields(Visit& visit, Is<RepositoryCreated> auto& it) {
  visit.subject("full_name", it.full_name, "Full name of the repository, owner/name.");
  visit.standard("name", it.name, always, "Name within the owner.");
  visit.standard("owner", it.owner, always, "Owner: a person's or an organization's name.");
  visit.uri(it.url, always, "Page of the repository; a urn:headrace: where it has none yet.");
  visit.own("id", it.id, always, "Number of the repository, unique in the platform.");
  visit.own("default_branch", it.default_branch, always, "Short name of the branch that HEAD points to.");
  visit.ordered_by(it.full_name);
}

template <class Visit>
void fields(Visit& visit, Is<RepositoryDeleted> auto& it) {
  visit.subject("full_name", it.full_name, "Full name of the repository, owner/name.");
  visit.standard("name", it.name, always, "Name within the owner.");
  visit.standard("owner", it.owner, always, "Owner: a person's or an organization's name.");
  visit.own("id", it.id, always, "Number of the repository.");
  visit.ordered_by(it.full_name);
}

template <class Visit>
void fields(Visit& visit, Is<RefUpdate> auto& it) {
  visit.own("ref", it.ref, always, "Full name, as refs/heads/main.");
  visit.own("old_commit", it.old_commit, always, "Commit before; 40 zeros: the ref is made.");
  visit.own("new_commit", it.new_commit, always, "Commit after; 40 zeros: the ref is deleted.");
}

template <class Visit>
void fields(Visit& visit, Is<SettledUpdate> auto& it) {
  visit.own("ref", it.ref, always, "Full name, as refs/heads/main.");
  visit.own("old_commit", it.old_commit, always, "Commit before; 40 zeros: the ref is made.");
  visit.own("new_commit", it.new_commit, always, "Commit after; 40 zeros: the ref is deleted.");
  visit.own("applied", it.applied, always, "The ref has moved; false: git refused it, or somebody was quicker.");
  visit.own("forced", it.forced, always, "The new commit does not follow from the old one.");
}

template <class Visit>
void fields(Visit& visit, Is<PushAccepted> auto& it) {
  visit.subject("push", it.push, "Id of the push.");
  visit.own("repository", it.repository, always, "Full name of the repository.");
  visit.own("repository_id", it.repository_id, always, "Number of the repository.");
  visit.own("updates", it.updates, always, "What the push asks for, a ref each.");
  visit.own("options", it.options, where_known, "Push options, as sent.");
  visit.ordered_by(it.repository);
}

template <class Visit>
void fields(Visit& visit, Is<PushReceived> auto& it) {
  visit.subject("push", it.push, "Id of the push.");
  visit.own("repository", it.repository, always, "Full name of the repository.");
  visit.own("repository_id", it.repository_id, always, "Number of the repository.");
  visit.own("updates", it.updates, always, "What became of each ref.");
  visit.own("default_branch", it.default_branch, always, "Short name of the repository's default branch at that time.");
  visit.own("settled_by", it.settled_by, always,
            "Who saw the refs move: git's hook, or the reconciliation after a crash.");
  visit.ordered_by(it.repository);
}

template <class Visit>
void fields(Visit& visit, Is<RefUpdated> auto& it) {
  visit.subject("ref", it.ref, "Full name of the ref, as refs/heads/main.");
  visit.own("repository", it.repository, always, "Full name of the repository.");
  visit.own("old_commit", it.old_commit, always, "Commit before; 40 zeros: the ref was made.");
  visit.own("new_commit", it.new_commit, always, "Commit after; 40 zeros: the ref was deleted.");
  visit.own("forced", it.forced, always, "The new commit does not follow from the old one.");
  visit.own("push", it.push, where_known, "Id of the push that moved it.");
  visit.ordered_by(it.repository);
}

template <class Visit>
void fields(Visit& visit, Is<BranchCreated> auto& it) {
  visit.subject("branch", it.branch, "Short name of the branch.");
  visit.reference("repository", it.repository, "Full name of the repository.");
  visit.own("commit", it.commit, always, "Commit it points to.");
  visit.own("push", it.push, where_known, "Id of the push that made it.");
  visit.ordered_by(it.repository);
}

template <class Visit>
void fields(Visit& visit, Is<BranchDeleted> auto& it) {
  visit.subject("branch", it.branch, "Short name of the branch.");
  visit.reference("repository", it.repository, "Full name of the repository.");
  visit.own("commit", it.commit, always, "The last commit it pointed to.");
  visit.own("push", it.push, where_known, "Id of the push that deleted it.");
  visit.ordered_by(it.repository);
}

HEADRACE_EVENTS_WORD(RepositoryCreated)
HEADRACE_EVENTS_WORD(RepositoryDeleted)
HEADRACE_EVENTS_WORD(PushAccepted)
HEADRACE_EVENTS_WORD(PushReceived)
HEADRACE_EVENTS_WORD(RefUpdated)
HEADRACE_EVENTS_WORD(BranchCreated)
HEADRACE_EVENTS_WORD(BranchDeleted)

std::vector<codec::Entry> codec::repository_words() {
  constexpr std::string_view service = "repository";
  return {
      entry<RepositoryCreated>("RepositoryCreated", service, "A repository was made; it is empty."),
      entry<RepositoryDeleted>("RepositoryDeleted", service, "A repository is gone, with its refs and objects."),
      entry<PushAccepted>("PushAccepted", service,
                          "Rights and policy allow a push and its objects have arrived; the refs have not moved yet. "
                          "An intent: push.received with the "
                          "same push says what became of it."),
      entry<PushReceived>("PushReceived", service, "A push is over: its refs have moved, or were refused one by one."),
      entry<RefUpdated>("RefUpdated", service, "One ref has moved."),
      entry<BranchCreated>("BranchCreated", service, "A branch was made."),
      entry<BranchDeleted>("BranchDeleted", service, "A branch was deleted."),
  };
}

}  // namespace headrace::events
