// The grammar of everything below the root but `on` (schema_events.cc).
#include "workflow/schema.h"

#include <array>

namespace headrace::workflow::schema {
namespace {

using Words = std::string_view;

constexpr Names run_names = github | inputs | vars;
constexpr Names needs_names = run_names | needs;
constexpr Names leg_names = needs_names | strategy | matrix;
constexpr Names runner_names = leg_names | secrets | steps | job | runner | env;
constexpr Names step_names = runner_names | hash_files;
constexpr Names step_if_names = (step_names & ~secrets) | step_status;

constexpr Definition any_value{.anything = true};
constexpr Definition filled{.scalars = string, .check = Check::non_empty};
constexpr Definition some_filled{.scalars = string, .check = Check::non_empty, .items = &filled};
constexpr Definition list_of_filled{.items = &filled};
constexpr Definition truth{.scalars = boolean};
constexpr Definition some_number{.scalars = number};
constexpr Definition any_scalar{.scalars = string | boolean | number};

constexpr Definition variable{.scalars = string};
constexpr Form variables_form[] = {{.key = &filled, .value = &variable}};

// permissions
constexpr Words any_level_words[] = {"read", "write", "none"};
constexpr Words read_level_words[] = {"read", "none"};
constexpr Words write_level_words[] = {"write", "none"};
constexpr Words shorthand_words[] = {"read-all", "write-all"};
constexpr Definition any_level{.scalars = string, .words = any_level_words};
constexpr Definition read_level{.scalars = string, .words = read_level_words};
constexpr Definition write_level{.scalars = string, .words = write_level_words};
constexpr Property permission_properties[] = {
    {"actions", &any_level},
    {"artifact-metadata", &any_level},
    {"attestations", &any_level},
    {"checks", &any_level},
    {"code-quality", &any_level},
    {"contents", &any_level},
    {"copilot-requests", &write_level},
    {"deployments", &any_level},
    {"discussions", &any_level},
    {"drives", &any_level},
    {"id-token", &write_level},
    {"issues", &any_level},
    {"models", &read_level},
    {"packages", &any_level},
    {"pages", &any_level},
    {"pull-requests", &any_level},
    {"repository-projects", &any_level},
    {"security-events", &any_level},
    {"statuses", &any_level},
    {"vulnerability-alerts", &read_level},
};
constexpr Form permission_forms[] = {{.properties = permission_properties}};

// defaults
constexpr Property workflow_run_defaults[] = {{"shell", &filled}, {"working-directory", &filled}};
constexpr Form workflow_run_defaults_form[] = {{.properties = workflow_run_defaults}};
constexpr Definition workflow_run_default{.forms = workflow_run_defaults_form};
constexpr Property workflow_defaults_properties[] = {{"run", &workflow_run_default}};
constexpr Form workflow_defaults_form[] = {{.properties = workflow_defaults_properties}};
constexpr Definition workflow_defaults{.forms = workflow_defaults_form};
constexpr Definition job_run_default{.forms = workflow_run_defaults_form,
                                     .names = run_names | strategy | matrix | needs | env};
constexpr Property job_defaults_properties[] = {{"run", &job_run_default}};
constexpr Form job_defaults_form[] = {{.properties = job_defaults_properties}};
constexpr Definition job_defaults{.forms = job_defaults_form};

// concurrency
constexpr Words queue_words[] = {"single", "max"};
constexpr Definition queue{.scalars = string, .words = queue_words};
constexpr Property concurrency_properties[] = {
    {"group", &filled, true}, {"cancel-in-progress", &truth}, {"queue", &queue}};
constexpr Form concurrency_form[] = {{.properties = concurrency_properties}};
constexpr Definition workflow_concurrency{.scalars = string, .forms = concurrency_form, .names = run_names};
constexpr Definition job_concurrency{
    .scalars = string, .check = Check::non_empty, .forms = concurrency_form, .names = leg_names};

// environment
constexpr Definition environment_name{.scalars = string, .names = leg_names};
constexpr Definition environment_url{.scalars = string, .names = (runner_names & ~secrets)};
constexpr Property environment_properties[] = {
    {"name", &environment_name, true}, {"url", &environment_url}, {"deployment", &truth}};
constexpr Form environment_form[] = {{.properties = environment_properties}};
constexpr Definition environment{.scalars = string, .forms = environment_form, .names = leg_names};

// strategy
constexpr Form matrix_entry_form[] = {{.key = &filled, .value = &any_value}};
constexpr Definition matrix_entry{.forms = matrix_entry_form};
constexpr Definition matrix_filter{.items = &matrix_entry};
constexpr Definition matrix_vector{.items = &any_value};
constexpr Property matrix_properties[] = {{"include", &matrix_filter}, {"exclude", &matrix_filter}};
constexpr Form matrix_form[] = {{.properties = matrix_properties, .key = &filled, .value = &matrix_vector}};
constexpr Definition matrix_definition{.forms = matrix_form};
constexpr Property strategy_properties[] = {
    {"fail-fast", &truth}, {"max-parallel", &some_number}, {"matrix", &matrix_definition}};
constexpr Form strategy_form[] = {{.properties = strategy_properties}};
constexpr Definition strategy_definition{.forms = strategy_form, .names = needs_names};

// runs-on
constexpr Property runs_on_properties[] = {{"group", &filled}, {"labels", &some_filled}};
constexpr Form runs_on_form[] = {{.properties = runs_on_properties}};
constexpr Definition runs_on{
    .scalars = string, .check = Check::non_empty, .items = &filled, .forms = runs_on_form, .names = leg_names};

// container and services
constexpr Definition container_variable{.scalars = string, .names = runner_names};
constexpr Form container_variables_form[] = {{.key = &filled, .value = &container_variable}};
constexpr Definition container_variables{.forms = container_variables_form};
constexpr Property credential_properties[] = {{"username", &filled}, {"password", &filled}};
constexpr Form credentials_form[] = {{.properties = credential_properties}};
constexpr Definition credentials{.forms = credentials_form, .names = run_names | secrets | env};
constexpr Property container_properties[] = {
    {"image", &filled},         {"options", &text},           {"env", &container_variables},
    {"ports", &list_of_filled}, {"volumes", &list_of_filled}, {"credentials", &credentials},
};
constexpr Form container_form[] = {{.properties = container_properties}};
constexpr Definition container{.scalars = string, .forms = container_form, .names = leg_names};
constexpr Property service_properties[] = {
    {"image", &filled},         {"options", &text},           {"env", &container_variables},
    {"ports", &list_of_filled}, {"volumes", &list_of_filled}, {"credentials", &credentials},
    {"entrypoint", &text},      {"command", &text},
};
constexpr Form service_form[] = {{.properties = service_properties}};
constexpr Definition service{.scalars = string, .check = Check::non_empty, .forms = service_form, .names = leg_names};
constexpr Form services_form[] = {{.key = &filled, .value = &service}};
constexpr Definition services{.forms = services_form, .names = leg_names};

// snapshot
constexpr Definition snapshot_if{.scalars = string, .check = Check::step_condition, .names = leg_names | step_status};
constexpr Property snapshot_properties[] = {{"image-name", &filled, true}, {"if", &snapshot_if}, {"version", &filled}};
constexpr Form snapshot_form[] = {{.properties = snapshot_properties}};
constexpr Definition snapshot{.scalars = string, .check = Check::non_empty, .forms = snapshot_form};

// steps
constexpr Definition step_text{.scalars = string, .names = step_names};
constexpr Definition step_number{.scalars = number, .names = step_names};
constexpr Definition step_truth{.scalars = boolean, .names = step_names};
constexpr Definition step_variables{.forms = variables_form, .names = step_names};
constexpr Definition step_shell{.scalars = string, .check = Check::non_empty, .names = step_names};
constexpr Definition step_if{.scalars = string, .check = Check::step_condition, .names = step_if_names};
constexpr Definition step_uses{.scalars = string, .check = Check::step_uses};
constexpr Definition wait_all{.scalars = null | boolean};
extern const Definition parallel_steps;
constexpr Property run_properties[] = {
    {"name", &step_text},      {"id", &filled},
    {"if", &step_if},          {"timeout-minutes", &step_number},
    {"run", &step_text, true}, {"continue-on-error", &step_truth},
    {"env", &step_variables},  {"working-directory", &step_text},
    {"shell", &step_shell},    {"background", &truth, false, true},
};
constexpr Property uses_properties[] = {
    {"name", &step_text},
    {"id", &filled},
    {"if", &step_if},
    {"continue-on-error", &step_truth},
    {"timeout-minutes", &step_number},
    {"uses", &step_uses, true},
    {"with", &step_variables},
    {"env", &step_variables},
    {"background", &truth, false, true},
};
constexpr Property wait_properties[] = {
    {"name", &step_text}, {"id", &filled}, {"continue-on-error", &step_truth}, {"wait", &some_filled, true, true}};
constexpr Property wait_all_properties[] = {
    {"name", &step_text}, {"id", &filled}, {"continue-on-error", &step_truth}, {"wait-all", &wait_all, true, true}};
constexpr Property cancel_properties[] = {
    {"name", &step_text}, {"id", &filled}, {"continue-on-error", &step_truth}, {"cancel", &filled, true, true}};
const Property parallel_properties[] = {{"parallel", &parallel_steps, true, true}};
const Form step_forms[] = {{.properties = run_properties},    {.properties = uses_properties},
                           {.properties = wait_properties},   {.properties = wait_all_properties},
                           {.properties = cancel_properties}, {.properties = parallel_properties}};
const Definition step{.forms = step_forms};
const Definition parallel_steps{.items = &step};
const Definition steps_list{.items = &step};

// jobs
constexpr Definition job_text{.scalars = string, .names = leg_names};
constexpr Definition job_number{.scalars = number, .names = leg_names};
constexpr Definition job_truth{.scalars = boolean, .names = leg_names};
constexpr Definition job_if{.scalars = string, .check = Check::job_condition, .names = needs_names | job_status};
constexpr Definition job_variables{.forms = variables_form, .names = leg_names | secrets};
constexpr Definition output_text{.scalars = string, .names = runner_names};
constexpr Form outputs_form[] = {{.key = &filled, .value = &output_text}};
constexpr Definition outputs{.forms = outputs_form};
constexpr Definition call_input{.scalars = any_scalar.scalars, .names = leg_names};
constexpr Form call_inputs_form[] = {{.key = &filled, .value = &call_input}};
constexpr Definition call_inputs{.forms = call_inputs_form};
constexpr Definition call_secret{.scalars = any_scalar.scalars, .names = leg_names | secrets};
constexpr Form call_secrets_form[] = {{.key = &filled, .value = &call_secret}};
constexpr Words inherit_words[] = {"inherit"};
constexpr Definition call_secrets{.scalars = string, .words = inherit_words, .forms = call_secrets_form};
constexpr Definition job_uses{.scalars = string, .check = Check::job_uses};
const Property job_properties[] = {
    {"needs", &some_filled},
    {"if", &job_if},
    {"strategy", &strategy_definition},
    {"name", &job_text},
    {"runs-on", &runs_on, true},
    {"timeout-minutes", &job_number},
    {"cancel-timeout-minutes", &job_number, false, true},
    {"continue-on-error", &job_truth},
    {"container", &container},
    {"services", &services},
    {"env", &job_variables},
    {"environment", &environment},
    {"permissions", &permissions},
    {"concurrency", &job_concurrency},
    {"outputs", &outputs},
    {"defaults", &job_defaults},
    {"steps", &steps_list},
    {"snapshot", &snapshot, false, true},
};
const Property caller_properties[] = {
    {"name", &job_text},           {"uses", &job_uses, true},         {"with", &call_inputs},
    {"secrets", &call_secrets},    {"needs", &some_filled},           {"if", &job_if},
    {"permissions", &permissions}, {"concurrency", &job_concurrency}, {"strategy", &strategy_definition},
};
const Form job_forms[] = {{.properties = job_properties}, {.properties = caller_properties}};
const Definition job_definition{.forms = job_forms};
constexpr Definition job_id{.scalars = string, .check = Check::job_id};
const Form jobs_form[] = {{.key = &job_id, .value = &job_definition}};

// the root
constexpr Definition run_name{.scalars = string, .names = run_names};
constexpr Definition workflow_variables{.forms = variables_form, .names = run_names | secrets};
const Property root_properties[] = {
    {"on", &on_anything, true},       {"name", &text},
    {"description", &text},           {"run-name", &run_name},
    {"defaults", &workflow_defaults}, {"env", &workflow_variables},
    {"permissions", &permissions},    {"concurrency", &workflow_concurrency},
    {"jobs", &jobs_mapping, true},
};
const Form root_form[] = {{.properties = root_properties}};

// The order in which GitHub tells them, then those it has added since.
constexpr Scope all_scopes[] = {
    {"actions"},
    {"checks"},
    {"contents"},
    {"deployments"},
    {"discussions"},
    {"issues"},
    {"packages"},
    {"pages"},
    {"pull-requests"},
    {"repository-projects"},
    {"statuses"},
    {"security-events"},
    {"id-token", true, true, true},
    {"attestations", true, true, false},
    {"models", true, false, false},
    {"artifact-metadata", true, true, false},
    {"code-quality", true, true, false},
    {"copilot-requests", false, true, false},
    {"drives", true, true, false},
    {"vulnerability-alerts", true, false, false},
};

}  // namespace

constinit const Definition text{.scalars = string};
constinit const Definition on_anything{.check = Check::event_filter, .anything = true};
constinit const Definition permissions{.scalars = string, .words = shorthand_words, .forms = permission_forms};
constinit const Definition jobs_mapping{.forms = jobs_form};
constinit const Definition root{.forms = root_form};

std::span<const Scope> scopes() { return all_scopes; }

}  // namespace headrace::workflow::schema
