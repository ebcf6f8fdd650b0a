// The events of `on`: GitHub, "Events that trigger workflows", and ours, `event`.
#include <algorithm>

#include "workflow/schema.h"

namespace headrace::workflow::schema {
namespace {

using Words = std::string_view;

constexpr Definition filled{.scalars = string, .check = Check::non_empty};
constexpr Definition some_filled{.scalars = string, .check = Check::non_empty, .items = &filled};
constexpr Definition truth{.scalars = boolean};
constexpr Definition list_of_text{.items = &text};

// Filters. `types` stands in all of these tables, for read_on.cc reads it by the list of the event.
constexpr Property type_properties[] = {{"types", &on_anything}};
constexpr Property push_properties[] = {{"branches", &some_filled}, {"branches-ignore", &some_filled},
                                        {"tags", &some_filled},     {"tags-ignore", &some_filled},
                                        {"paths", &some_filled},    {"paths-ignore", &some_filled},
                                        {"each-commit", &truth}};  // ours
constexpr Property pull_request_properties[] = {{"types", &on_anything},
                                                {"branches", &some_filled},
                                                {"branches-ignore", &some_filled},
                                                {"paths", &some_filled},
                                                {"paths-ignore", &some_filled}};
constexpr Property branch_properties[] = {
    {"types", &on_anything}, {"branches", &some_filled}, {"branches-ignore", &some_filled}};
constexpr Property workflow_run_properties[] = {{"types", &on_anything},
                                                {"workflows", &some_filled},
                                                {"branches", &some_filled},
                                                {"branches-ignore", &some_filled}};
constexpr Property image_properties[] = {{"types", &on_anything}, {"names", &some_filled}, {"versions", &some_filled}};
constexpr Property dispatch_properties[] = {{"types", &some_filled}};

constexpr Property ref_properties[] = {{"branches", &some_filled},
                                       {"branches-ignore", &some_filled},
                                       {"tags", &some_filled},
                                       {"tags-ignore", &some_filled}};

constexpr Form ref_form[] = {{.properties = ref_properties}};
constexpr Form type_form[] = {{.properties = type_properties}};
constexpr Form push_form[] = {{.properties = push_properties}};
constexpr Form pull_request_form[] = {{.properties = pull_request_properties}};
constexpr Form branch_form[] = {{.properties = branch_properties}};
constexpr Form workflow_run_form[] = {{.properties = workflow_run_properties}};
constexpr Form image_form[] = {{.properties = image_properties}};
constexpr Form dispatch_form[] = {{.properties = dispatch_properties}};

constexpr Definition nothing{.scalars = null};
constexpr Definition refs{.scalars = null, .forms = ref_form};
constexpr Definition only_types{.scalars = null, .forms = type_form};
constexpr Definition push{.scalars = null, .forms = push_form};
constexpr Definition pull_request{.scalars = null, .forms = pull_request_form};
constexpr Definition branches{.scalars = null, .forms = branch_form};
constexpr Definition workflow_run{.scalars = null, .forms = workflow_run_form};
constexpr Definition image_version{.scalars = null, .forms = image_form};
constexpr Definition repository_dispatch{.scalars = null, .forms = dispatch_form};

// schedule
constexpr Definition cron{.scalars = string, .check = Check::cron};
constexpr Definition timezone{.scalars = string, .check = Check::timezone};
constexpr Property schedule_properties[] = {{"cron", &cron, true}, {"timezone", &timezone}};
constexpr Form schedule_form[] = {{.properties = schedule_properties}};
constexpr Definition schedule_entry{.forms = schedule_form};
constexpr Definition schedule{.items = &schedule_entry};

// inputs of workflow_dispatch
constexpr Words dispatch_type_words[] = {"string", "boolean", "number", "environment", "choice"};
constexpr Words call_type_words[] = {"string", "boolean", "number"};
constexpr Definition dispatch_type{.scalars = string, .words = dispatch_type_words};
constexpr Definition dispatch_default{.scalars = string | boolean | number};
constexpr Property dispatch_input_properties[] = {{"description", &text},     {"type", &dispatch_type},
                                                  {"required", &truth},       {"default", &dispatch_default},
                                                  {"options", &list_of_text}, {"deprecationMessage", &text}};
constexpr Form dispatch_input_form[] = {{.properties = dispatch_input_properties}};
constexpr Definition dispatch_input{.scalars = null, .forms = dispatch_input_form};
constexpr Form dispatch_inputs_form[] = {{.key = &filled, .value = &dispatch_input}};
constexpr Definition dispatch_inputs{.scalars = null, .forms = dispatch_inputs_form};
constexpr Property workflow_dispatch_properties[] = {{"inputs", &dispatch_inputs}};
constexpr Form workflow_dispatch_form[] = {{.properties = workflow_dispatch_properties}};
constexpr Definition workflow_dispatch{.scalars = null, .forms = workflow_dispatch_form};

// workflow_call
constexpr Definition call_type{.scalars = string, .words = call_type_words};
constexpr Definition call_default{.scalars = string | boolean | number, .names = github | inputs | vars};
constexpr Property call_input_properties[] = {{"description", &text},
                                              {"type", &call_type, true},
                                              {"required", &truth},
                                              {"default", &call_default},
                                              {"deprecationMessage", &text}};
constexpr Form call_input_form[] = {{.properties = call_input_properties}};
constexpr Definition call_input{.forms = call_input_form};
constexpr Form call_inputs_form[] = {{.key = &filled, .value = &call_input}};
constexpr Definition call_inputs{.scalars = null, .forms = call_inputs_form};
constexpr Property call_secret_properties[] = {{"description", &text}, {"required", &truth}};
constexpr Form call_secret_form[] = {{.properties = call_secret_properties}};
constexpr Definition call_secret{.scalars = null, .forms = call_secret_form};
constexpr Form call_secrets_form[] = {{.key = &filled, .value = &call_secret}};
constexpr Definition call_secrets{.scalars = null, .forms = call_secrets_form};
constexpr Definition call_output_value{.scalars = string, .names = github | inputs | vars | jobs};
constexpr Property call_output_properties[] = {{"description", &text}, {"value", &call_output_value, true}};
constexpr Form call_output_form[] = {{.properties = call_output_properties}};
constexpr Definition call_output{.forms = call_output_form};
constexpr Form call_outputs_form[] = {{.key = &filled, .value = &call_output}};
constexpr Definition call_outputs{.scalars = null, .forms = call_outputs_form};
constexpr Property workflow_call_properties[] = {
    {"inputs", &call_inputs}, {"secrets", &call_secrets}, {"outputs", &call_outputs}};
constexpr Form workflow_call_form[] = {{.properties = workflow_call_properties}};
constexpr Definition workflow_call{.scalars = null, .forms = workflow_call_form};

// Ours: any event that a CloudEvents filter matches, as an expression or as dialect objects.
constexpr Definition event_filter{.check = Check::event_filter, .anything = true};
constexpr Property event_properties[] = {{"filter", &event_filter, true}};
constexpr Form event_form[] = {{.properties = event_properties}};
constexpr Definition any_event{.scalars = string, .check = Check::event_filter, .forms = event_form};

// Activity types.
constexpr Words rule_types[] = {"created", "edited", "deleted"};
constexpr Words check_run_types[] = {"created", "rerequested", "completed", "requested_action"};
constexpr Words completed_types[] = {"completed"};
constexpr Words discussion_types[] = {"created",          "edited",   "deleted",   "transferred", "pinned",
                                      "unpinned",         "labeled",  "unlabeled", "locked",      "unlocked",
                                      "category_changed", "answered", "unanswered"};
constexpr Words image_types[] = {"created", "ready", "deleted"};
constexpr Words issue_types[] = {"opened",       "edited",      "deleted",       "transferred", "pinned",
                                 "unpinned",     "closed",      "reopened",      "assigned",    "unassigned",
                                 "labeled",      "unlabeled",   "locked",        "unlocked",    "milestoned",
                                 "demilestoned", "field_added", "field_removed", "typed",       "untyped"};
constexpr Words group_types[] = {"checks_requested"};
constexpr Words milestone_types[] = {"created", "closed", "opened", "edited", "deleted"};
constexpr Words project_types[] = {"created", "closed", "reopened", "edited", "deleted"};
constexpr Words card_types[] = {"created", "moved", "converted", "edited", "deleted"};
constexpr Words column_types[] = {"created", "updated", "moved", "deleted"};
constexpr Words change_types[] = {"assigned",
                                  "unassigned",
                                  "labeled",
                                  "unlabeled",
                                  "opened",
                                  "edited",
                                  "closed",
                                  "reopened",
                                  "synchronize",
                                  "converted_to_draft",
                                  "locked",
                                  "unlocked",
                                  "enqueued",
                                  "dequeued",
                                  "milestoned",
                                  "demilestoned",
                                  "ready_for_review",
                                  "review_requested",
                                  "review_request_removed",
                                  "auto_merge_enabled",
                                  "auto_merge_disabled",
                                  "stacked"};
constexpr Words change_defaults[] = {"opened", "synchronize", "reopened"};
constexpr Words review_types[] = {"submitted", "edited", "dismissed"};
constexpr Words package_types[] = {"published", "updated"};
constexpr Words release_types[] = {"published", "unpublished", "created", "edited",
                                   "deleted",   "prereleased", "released"};
constexpr Words watch_types[] = {"started"};
constexpr Words workflow_run_types[] = {"completed", "requested", "in_progress"};

constexpr EventKind all_events[] = {
    {"push", {}, {}, &push},
    {"pull_request", change_types, change_defaults, &pull_request},
    {"pull_request_target", change_types, change_defaults, &pull_request},
    {"merge_group", group_types, {}, &branches},
    {"workflow_dispatch", {}, {}, &workflow_dispatch},
    {"workflow_call", {}, {}, &workflow_call},
    {"workflow_run", workflow_run_types, {}, &workflow_run},
    {"repository_dispatch", {}, {}, &repository_dispatch},
    {"schedule", {}, {}, &schedule},
    {"release", release_types, {}, &only_types, false, true},
    {"issues", issue_types, {}, &only_types},
    {"issue_comment", rule_types, {}, &only_types, false, true},
    {"pull_request_review", review_types, {}, &only_types, false, true},
    {"pull_request_review_comment", rule_types, {}, &only_types, false, true},
    {"create", {}, {}, &refs},
    {"delete", {}, {}, &refs},
    {"event", {}, {}, &any_event},
    {"branch_protection_rule", rule_types, {}, &only_types, true},
    {"check_run", check_run_types, {}, &only_types, true},
    {"check_suite", completed_types, {}, &only_types, true},
    {"deployment", {}, {}, &nothing, true},
    {"deployment_status", {}, {}, &nothing, true},
    {"discussion", discussion_types, {}, &only_types, true},
    {"discussion_comment", rule_types, {}, &only_types, true},
    {"fork", {}, {}, &nothing, true},
    {"gollum", {}, {}, &nothing, true},
    {"image_version", image_types, {}, &image_version, true},
    {"label", rule_types, {}, &only_types, true},
    {"milestone", milestone_types, {}, &only_types, true},
    {"page_build", {}, {}, &nothing, true},
    {"project", project_types, {}, &only_types, true},
    {"project_card", card_types, {}, &only_types, true},
    {"project_column", column_types, {}, &only_types, true},
    {"public", {}, {}, &nothing, true},
    {"pull_request_comment", rule_types, {}, &only_types, true},
    {"registry_package", package_types, {}, &only_types, true},
    {"status", {}, {}, &nothing, true},
    {"watch", watch_types, {}, &only_types, true},
};

}  // namespace

std::span<const EventKind> events() { return all_events; }

const EventKind* event(std::string_view name) {
  auto found = std::ranges::find(all_events, name, &EventKind::name);
  return found == std::end(all_events) ? nullptr : &*found;
}

const Definition& on_configuration(const EventKind& kind) { return *kind.configuration; }

}  // namespace headrace::workflow::schema
