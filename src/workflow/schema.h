// The grammar of workflow files as data: what may stand where, which properties a mapping must have, which contexts an
// expression may name there, and what Headrace cannot run. The reader (walk.h) and the page docs/workflow-syntax.md
// follow from it. Source: GitHub, "Workflow syntax for GitHub Actions", "Contexts reference" (context availability),
// "Events that trigger workflows".
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace headrace::workflow::schema {

// Names that an expression may use; they add up from the outside to the inside.
using Names = uint32_t;
inline constexpr Names github = 1 << 0, inputs = 1 << 1, vars = 1 << 2, needs = 1 << 3, strategy = 1 << 4,
                       matrix = 1 << 5, secrets = 1 << 6, steps = 1 << 7, job = 1 << 8, runner = 1 << 9, env = 1 << 10,
                       jobs = 1 << 11;
inline constexpr Names job_status = 1 << 12;   // always, cancelled, success and failure with names of jobs
inline constexpr Names step_status = 1 << 13;  // always, cancelled, success, failure
inline constexpr Names hash_files = 1 << 14;
inline constexpr std::string_view context_names[] = {"github",  "inputs", "vars", "needs",  "strategy", "matrix",
                                                     "secrets", "steps",  "job",  "runner", "env",      "jobs"};

enum Scalars : uint8_t { no_scalar = 0, null = 1, boolean = 2, number = 4, string = 8 };

// What is asked of a scalar beyond its kind; walk.cc and checks.cc know how.
enum class Check {
  none,
  non_empty,
  job_id,
  job_condition,
  step_condition,
  step_uses,
  job_uses,
  cron,
  timezone,
  event_filter,
};

struct Definition;

struct Property {
  std::string_view name;
  const Definition* type;
  bool required = false;
  bool lacking = false;  // GitHub reads it, Headrace cannot run it
};

// One shape of a mapping: its properties, and what other keys are where they may be any.
struct Form {
  std::span<const Property> properties = {};
  const Definition* key = nullptr;    // null: no other keys
  const Definition* value = nullptr;  // of other keys
};

struct Definition {
  uint8_t scalars = no_scalar;
  Check check = Check::none;
  std::span<const std::string_view> words = {};  // not empty: the only strings
  const Definition* items = nullptr;             // of a sequence; null: no sequence
  std::span<const Form> forms = {};              // of a mapping; none: no mapping
  Names names = 0;                               // beside those of what it stands in
  bool anything = false;                         // any value of any depth
};

// An event of `on`.
struct EventKind {
  std::string_view name;
  std::span<const std::string_view> types = {};          // activity types; none: it has no `types`
  std::span<const std::string_view> default_types = {};  // those that count where none are given; none: all
  const Definition* configuration = nullptr;             // what else may be said of it; null: nothing but `types`
  bool lacking = false;                                  // Headrace cannot run it
  bool unsaid = false;                                   // it can, but nothing on a server says it yet
};

std::span<const EventKind> events();
const EventKind* event(std::string_view name);  // null: no such event

const Definition& on_configuration(const EventKind& kind);  // the value behind the event's name

extern const Definition root;         // without `on`, which on_configuration() and read_on.cc know
extern const Definition text;         // any string
extern const Definition on_anything;  // `on`, read by its own rules
extern const Definition permissions;
extern const Definition jobs_mapping;

// The scopes of `permissions` in the order in which they are told; what the token may be given at most.
struct Scope {
  std::string_view name;
  bool read = true;
  bool write = true;
  bool shorthand = true;  // read-all and write-all speak of it
};
std::span<const Scope> scopes();

}  // namespace headrace::workflow::schema
