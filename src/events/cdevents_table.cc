// Written from the CDEvents v0.5.1 documents core.md, source-code-version-control.md, continuous-integration.md,
// testing-events.md, continuous-deployment.md, continuous-operations.md; a test compares it with the schemas.
#include "events/cdevents_table.h"

#include <algorithm>

#include "events/formats.h"

namespace headrace::events::cdevents {

namespace {

using enum Shape::Kind;
using enum Type::Quirk;
constexpr bool required = true;

constexpr std::string_view outcomes[] = {"success", "failure", "cancel", "error"};
constexpr std::string_view severities[] = {"low", "medium", "high", "critical"};
constexpr std::string_view triggers[] = {"manual", "pipeline", "event", "schedule", "other"};
constexpr std::string_view outputs[] = {"report", "video", "image", "log", "other"};
constexpr std::string_view test_kinds[] = {"performance", "functional",  "unit", "security",
                                           "compliance",  "integration", "e2e",  "other"};

constexpr Shape any_text{};
constexpr Shape name{.filled = true};
constexpr Shape list{.kind = texts};
constexpr Shape uri{.good = is_uri, .form = "uri"};
constexpr Shape filled_uri{.filled = true, .good = is_uri, .form = "uri"};
constexpr Shape uri_reference{.filled = true, .good = is_uri_reference, .form = "uri-reference"};
constexpr Shape outcome{.one_of = outcomes};
constexpr Shape severity{.one_of = severities};

constexpr Field reference_fields[] = {{"id", &name, required}, {"source", &uri_reference}};
constexpr Shape reference{.kind = object, .fields = reference_fields};
constexpr Field loose_reference_fields[] = {{"id", &name, required}, {"source", &any_text}};
constexpr Shape loose_reference{.kind = object, .fields = loose_reference_fields};
constexpr Field sbom_fields[] = {{"uri", &uri_reference, required}};
constexpr Shape sbom{.kind = object, .fields = sbom_fields};

constexpr Shape trigger_kind{.one_of = triggers};
constexpr Field trigger_fields[] = {{"type", &trigger_kind}, {"uri", &uri}};
constexpr Shape trigger{.kind = object, .fields = trigger_fields, .open = true};
constexpr Shape test_kind{.one_of = test_kinds};
constexpr Field test_case_fields[] = {
    {"id", &name, required}, {"version", &any_text}, {"name", &any_text}, {"type", &test_kind}, {"uri", &uri}};
constexpr Shape test_case{.kind = object, .fields = test_case_fields};
constexpr Field test_suite_fields[] = {
    {"id", &name, required}, {"version", &any_text}, {"name", &any_text}, {"uri", &uri}};
constexpr Shape test_suite{.kind = object, .fields = test_suite_fields};
constexpr Shape output_kind{.one_of = outputs};

constexpr Field of_user[] = {{"user", &name}};
constexpr Field of_package[] = {{"change", &reference, required}, {"sbom", &sbom}};
constexpr Field of_publication[] = {{"sbom", &sbom}, {"user", &name}};
constexpr Field of_signature[] = {{"signature", &name, required}};
constexpr Field in_repository[] = {{"repository", &reference}};
constexpr Field of_build[] = {{"artifactId", &any_text}};
constexpr Field of_change[] = {{"description", &name}, {"repository", &reference}};
constexpr Field of_environment[] = {{"name", &any_text}, {"uri", &uri}};
constexpr Field named[] = {{"name", &any_text}};
constexpr Field of_incident[] = {
    {"description", &any_text}, {"environment", &reference, required}, {"service", &reference}, {"artifactId", &name}};
constexpr Field of_report[] = {{"description", &any_text},
                               {"environment", &reference, required},
                               {"ticketURI", &filled_uri, required},
                               {"service", &reference},
                               {"artifactId", &name}};
constexpr Field of_run[] = {{"pipelineName", &any_text}, {"uri", &uri}};
constexpr Field of_started_run[] = {{"pipelineName", &any_text, required}, {"uri", &uri, required}};
constexpr Field of_finished_run[] = {
    {"pipelineName", &any_text}, {"uri", &uri}, {"outcome", &outcome}, {"errors", &any_text}};
constexpr Field of_task[] = {{"taskName", &any_text}, {"uri", &uri}, {"pipelineRun", &reference}};
constexpr Field of_finished_task[] = {
    {"taskName", &any_text}, {"uri", &uri}, {"pipelineRun", &reference}, {"outcome", &any_text}, {"errors", &any_text}};
constexpr Field of_repository[] = {{"name", &any_text}, {"owner", &any_text}, {"uri", &uri}, {"viewUrl", &uri}};
constexpr Field of_new_repository[] = {
    {"name", &name, required}, {"owner", &any_text}, {"uri", &uri, required}, {"viewUrl", &uri}};
constexpr Field of_service[] = {{"environment", &reference, required}, {"artifactId", &name, required}};
constexpr Field of_service_end[] = {{"environment", &reference}};
constexpr Field of_case_end[] = {{"outcome", &outcome, required},
                                 {"severity", &severity},
                                 {"reason", &any_text},
                                 {"environment", &reference, required},
                                 {"testSuiteRun", &loose_reference},
                                 {"testCase", &test_case}};
constexpr Field of_case[] = {{"trigger", &trigger},
                             {"environment", &reference, required},
                             {"testSuiteRun", &loose_reference},
                             {"testCase", &test_case}};
constexpr Field of_case_skip[] = {
    {"reason", &any_text}, {"environment", &reference}, {"testSuiteRun", &loose_reference}, {"testCase", &test_case}};
constexpr Field of_output[] = {{"outputType", &output_kind, required},
                               {"format", &any_text, required},
                               {"uri", &uri},
                               {"testCaseRun", &loose_reference}};
constexpr Field of_suite_end[] = {{"environment", &reference, required},
                                  {"testSuite", &test_suite},
                                  {"outcome", &outcome, required},
                                  {"severity", &severity},
                                  {"reason", &any_text}};
constexpr Field of_suite[] = {{"trigger", &trigger}, {"environment", &reference, required}, {"testSuite", &test_suite}};
constexpr Field of_ticket_end[] = {{"summary", &any_text},
                                   {"ticketType", &any_text},
                                   {"group", &any_text},
                                   {"creator", &name},
                                   {"assignees", &list},
                                   {"priority", &any_text},
                                   {"labels", &list},
                                   {"milestone", &any_text},
                                   {"uri", &uri_reference, required},
                                   {"resolution", &name, required},
                                   {"updatedBy", &any_text}};
constexpr Field of_new_ticket[] = {{"summary", &any_text, required},
                                   {"ticketType", &any_text},
                                   {"group", &any_text},
                                   {"creator", &name, required},
                                   {"assignees", &list},
                                   {"priority", &any_text},
                                   {"labels", &list},
                                   {"milestone", &any_text},
                                   {"uri", &uri_reference, required}};
constexpr Field of_ticket[] = {
    {"summary", &any_text},   {"ticketType", &any_text},        {"group", &any_text}, {"creator", &name},
    {"assignees", &list},     {"priority", &any_text},          {"labels", &list},    {"milestone", &any_text},
    {"updatedBy", &any_text}, {"uri", &uri_reference, required}};

constexpr Type types[] = {
    {"artifact.deleted.0.2.0", of_user},
    {"artifact.downloaded.0.2.0", of_user},
    {"artifact.packaged.0.3.0", of_package},
    {"artifact.published.0.3.0", of_publication},
    {"artifact.signed.0.3.0", of_signature},
    {"branch.created.0.3.0", in_repository},
    {"branch.deleted.0.3.0", in_repository},
    {"build.finished.0.3.0", of_build},
    {"build.queued.0.3.0", {}},
    {"build.started.0.3.0", {}},
    {"change.abandoned.0.3.0", in_repository},
    {"change.created.0.4.0", of_change},
    {"change.merged.0.3.0", in_repository},
    {"change.reviewed.0.3.0", in_repository},
    {"change.updated.0.3.0", in_repository},
    {"environment.created.0.3.0", of_environment},
    {"environment.deleted.0.3.0", named},
    {"environment.modified.0.3.0", of_environment},
    {"incident.detected.0.3.0", of_incident},
    {"incident.reported.0.3.0", of_report},
    {"incident.resolved.0.3.0", of_incident},
    {"pipelinerun.finished.0.3.0", of_finished_run},
    {"pipelinerun.queued.0.3.0", of_run},
    {"pipelinerun.started.0.3.0", of_started_run},
    {"repository.created.0.3.0", of_new_repository},
    {"repository.deleted.0.3.0", of_repository},
    {"repository.modified.0.3.0", of_repository},
    {"service.deployed.0.3.0", of_service},
    {"service.published.0.3.0", of_service_end},
    {"service.removed.0.3.0", of_service_end},
    {"service.rolledback.0.3.0", of_service},
    {"service.upgraded.0.3.0", of_service},
    {"taskrun.finished.0.3.0", of_finished_task},
    {"taskrun.started.0.3.0", of_task},
    {"testcaserun.finished.0.3.0", of_case_end, any_source},
    {"testcaserun.queued.0.3.0", of_case, any_source},
    {"testcaserun.skipped.0.2.0", of_case_skip, any_source},
    {"testcaserun.started.0.3.0", of_case, any_source},
    {"testoutput.published.0.3.0", of_output, any_source},
    {"testsuiterun.finished.0.3.0", of_suite_end, any_source},
    {"testsuiterun.queued.0.3.0", of_suite, any_source},
    {"testsuiterun.started.0.3.0", of_suite, any_source},
    {"ticket.closed.0.2.0", of_ticket_end, subject_type},
    {"ticket.created.0.2.0", of_new_ticket},
    {"ticket.updated.0.2.0", of_ticket},
};

}  // namespace

std::span<const Type> all_types() { return types; }

const Type* find_type(std::string_view type) {
  constexpr std::string_view prefix = "dev.cdevents.";
  if (!type.starts_with(prefix)) return nullptr;
  auto found = std::ranges::lower_bound(types, type.substr(prefix.size()), {}, &Type::name);
  return found != std::end(types) && found->name == type.substr(prefix.size()) ? found : nullptr;
}

}  // namespace headrace::events::cdevents
