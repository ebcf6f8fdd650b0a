#include "events/triggers.h"

#include "events/codec.h"

namespace headrace::events {

using codec::Is;
using enum codec::Presence;

template <class Visit>
void fields(Visit& visit, Is<ScheduleDue> auto& it) {
  visit.subject("schedule", it.schedule, "UUID of this time of the schedule.");
  visit.own("repository", it.repository, always, "Full name of the repository.");
  visit.own("repository_id", it.repository_id, always, "Number of the repository.");
  visit.own("cron", it.cron, always, "As workflow files write it; UTC.");
  visit.own("due", it.due, always, "The minute that has come.");
  visit.own("actor", it.actor, where_known, "Account whose push brought the schedule.");
  visit.ordered_by(it.repository);
}

template <class Visit>
void fields(Visit& visit, Is<DispatchRequested> auto& it) {
  visit.subject("dispatch", it.dispatch, "UUID of the request.");
  visit.own("repository", it.repository, always, "Full name of the repository.");
  visit.own("repository_id", it.repository_id, always, "Number of the repository.");
  visit.own("event_type", it.event_type, always, "What workflow files wait for in on.repository_dispatch.types.");
  visit.own("client_payload", it.client_payload, where_known, "As it came: JSON text of an object.");
  visit.ordered_by(it.repository);
}

template <class Visit>
void fields(Visit& visit, Is<WorkflowsRead> auto& it) {
  visit.subject("repository", it.repository, "Full name of the repository.");
  visit.own("repository_id", it.repository_id, always, "Number of the repository.");
  visit.own("commit", it.commit, always, "Commit of the default branch.");
  visit.own("actor", it.actor, where_known, "Account that moved the branch.");
  visit.own("crons", it.crons, always, "The times that its workflow files wait for.");
  visit.own("events", it.events, always, "Events they wait for that any event of the log may be.");
  visit.ordered_by(it.repository);
}

template <class Visit>
void fields(Visit& visit, Is<ChangeState> auto& it) {
  visit.own("number", it.number, always, "Counts the changes of the repository.");
  visit.own("title", it.title, always, "One line.");
  visit.own("body", it.body, where_known, "What it is about.");
  visit.own("author", it.author, where_known, "Account that asks for it.");
  visit.own("head_branch", it.head_branch, where_known, "Short name of its branch.");
  visit.own("head_commit", it.head_commit, always, "Its newest commit.");
  visit.own("base_branch", it.base_branch, always, "Short name of the branch it goes to.");
  visit.own("base_commit", it.base_commit, always, "Where that branch is.");
  visit.own("merge_commit", it.merge_commit, where_known, "Commit of the tree that would land; absent: conflicts.");
  visit.own("draft", it.draft, always, "It is not ready to be looked at.");
  visit.own("labels", it.labels, where_known, "Names.");
}

// What all events of a change have in common.
template <class Visit, class Change>
void change_fields(Visit& visit, Change& it) {
  visit.subject("change", it.change, "Repository and number: team/hello#12.");
  visit.reference("repository", it.repository, "Full name of the repository.");
  visit.own("repository_id", it.repository_id, always, "Number of the repository.");
  visit.own("state", it.state, always, "The change as it is now.");
  visit.ordered_by(it.repository);
}

template <class Visit>
void fields(Visit& visit, Is<ChangeCreated> auto& it) {
  change_fields(visit, it);
}
template <class Visit>
void fields(Visit& visit, Is<ChangeUpdated> auto& it) {
  change_fields(visit, it);
  visit.own("action", it.action, always, "What became of it, as GitHub's types of pull_request: synchronize, labeled.");
}
template <class Visit>
void fields(Visit& visit, Is<ChangeMerged> auto& it) {
  change_fields(visit, it);
}
template <class Visit>
void fields(Visit& visit, Is<ChangeAbandoned> auto& it) {
  change_fields(visit, it);
}

template <class Visit>
void fields(Visit& visit, Is<QueueEntered> auto& it) {
  visit.subject("entry", it.entry, "UUID of the entry.");
  visit.own("repository", it.repository, always, "Full name of the repository.");
  visit.own("repository_id", it.repository_id, always, "Number of the repository.");
  visit.own("changes", it.changes, always, "Numbers of the changes, in the order in which they would land.");
  visit.own("base_branch", it.base_branch, always, "Short name of the branch they go to.");
  visit.own("base_commit", it.base_commit, always, "Where that branch is.");
  visit.own("head_ref", it.head_ref, always, "Full name of the ref that holds what is tested.");
  visit.own("head_commit", it.head_commit, always, "What is tested.");
  visit.ordered_by(it.repository);
}

template <class Visit>
void fields(Visit& visit, Is<TicketState> auto& it) {
  visit.own("number", it.number, always, "Counts the tasks of the repository.");
  visit.own("body", it.body, where_known, "What it is about.");
  visit.own("labels", it.labels, where_known, "Names.");
}

// What all events of a task have in common.
template <class Visit, class Ticket>
void ticket_fields(Visit& visit, Ticket& it) {
  visit.subject("ticket", it.ticket, "Repository and number: team/hello#3.");
  visit.standard("summary", it.summary, always, "One line.");
  visit.standard("creator", it.creator, always, "Account that made it.");
  visit.uri(it.url, always, "Page of the task; a urn:headrace: where it has none.");
  visit.own("repository", it.repository, always, "Full name of the repository.");
  visit.own("repository_id", it.repository_id, always, "Number of the repository.");
  visit.own("state", it.state, always, "The task as it is now.");
  visit.ordered_by(it.repository);
}

template <class Visit>
void fields(Visit& visit, Is<TicketCreated> auto& it) {
  ticket_fields(visit, it);
}
template <class Visit>
void fields(Visit& visit, Is<TicketUpdated> auto& it) {
  ticket_fields(visit, it);
  visit.own("action", it.action, always, "What became of it, as GitHub's types of issues: edited, labeled.");
}
template <class Visit>
void fields(Visit& visit, Is<TicketClosed> auto& it) {
  ticket_fields(visit, it);
  visit.standard("resolution", it.resolution, always, "How it ended: completed, not_planned.");
}

HEADRACE_EVENTS_WORD(ScheduleDue)
HEADRACE_EVENTS_WORD(DispatchRequested)
HEADRACE_EVENTS_WORD(WorkflowsRead)
HEADRACE_EVENTS_WORD(ChangeCreated)
HEADRACE_EVENTS_WORD(ChangeUpdated)
HEADRACE_EVENTS_WORD(ChangeMerged)
HEADRACE_EVENTS_WORD(ChangeAbandoned)
HEADRACE_EVENTS_WORD(QueueEntered)
HEADRACE_EVENTS_WORD(TicketCreated)
HEADRACE_EVENTS_WORD(TicketUpdated)
HEADRACE_EVENTS_WORD(TicketClosed)

std::vector<codec::Entry> codec::trigger_words() {
  constexpr std::string_view pipeline = "pipeline", review = "review", team = "team";
  return {
      entry<ScheduleDue>("ScheduleDue", pipeline, "A time that workflow files of a default branch name has come."),
      entry<DispatchRequested>("DispatchRequested", pipeline,
                               "Somebody asked for the runs of on: repository_dispatch."),
      entry<WorkflowsRead>("WorkflowsRead", pipeline,
                           "The workflow files of a default branch wait for other times or events than before."),
      entry<ChangeCreated>("ChangeCreated", review, "A change asks to be merged."),
      entry<ChangeUpdated>("ChangeUpdated", review, "A change has new commits, or something else of it changed."),
      entry<ChangeMerged>("ChangeMerged", review, "A change was merged."),
      entry<ChangeAbandoned>("ChangeAbandoned", review, "A change was closed without being merged."),
      entry<QueueEntered>("QueueEntered", review, "Changes stand in the merge queue, and wait for their checks."),
      entry<TicketCreated>("TicketCreated", team, "A task was made."),
      entry<TicketUpdated>("TicketUpdated", team, "A task changed."),
      entry<TicketClosed>("TicketClosed", team, "A task is over."),
  };
}

}  // namespace headrace::events
