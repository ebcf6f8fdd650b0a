// Filter decides which events somebody hears: CloudEvents SQL 1.0.0 (cloudevents/spec, cesql/spec.md) and the dialects
// exact, prefix, suffix, all, any, not, sql of CloudEvents Subscriptions (subscriptions/spec.md, 3.2.4.1).
//
// A filter is compiled once and is then immutable: a cheap copy, fit for any thread. matches() allocates nothing for
// filters that only compare, and stays far below a microsecond (bench/filter_bench.cc).
//
// Where the CESQL texts leave room, we read them so:
//   - AND, OR and XOR have one precedence and go left to right (spec 3.6); use parentheses when mixing them.
//   - NOT binds tighter than LIKE, IN and comparisons (spec 3.6): write NOT (a = b).
//   - An operator with an operand that raised an error gives the zero value of its result type, and the error.
//   - NOT of an Integer is a cast error, as the conformance suite wants; elsewhere Integers cast to Booleans.
//   - Overflow of + - * / and unary minus is a math error with the value 0.
//   - `time` is the instant in UTC as the log keeps it, unless the spelling it came with is handed to evaluate().
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "events/event.h"

namespace headrace::filter {

inline constexpr size_t expression_bytes_max = 16 * 1024;  // of a CESQL text
inline constexpr size_t filter_bytes_max = 64 * 1024;      // of a JSON text
inline constexpr size_t depth_max = 100;                   // of nested expressions, and of nested dialects
inline constexpr size_t clauses_max = 1000;                // dialect objects in one JSON text
inline constexpr size_t pattern_bytes_max = 1024;          // of a LIKE pattern
inline constexpr size_t value_bytes_max = 1024 * 1024;     // of a string made by a function; beyond: functionEvaluation

// CESQL 3.3. name_of spells them as the conformance suite does: "parse", "missingAttribute", ...
enum class ErrorKind { parse, math, cast, missing_function, function_evaluation, missing_attribute, generic };
std::string_view name_of(ErrorKind kind);

struct Problem {
  ErrorKind kind = ErrorKind::generic;
  std::string message;  // for who wrote the expression: what is wrong, and what would be right
  size_t position = 1;  // character of the expression, from 1

  bool operator==(const Problem&) const = default;
};

// CESQL 3.3: a value comes along with every error.
struct Evaluation {
  events::Attribute value = false;  // bool, int32_t or std::string
  std::vector<Problem> errors;      // in order of evaluation; at most 100

  bool passed() const { return errors.empty() && value == events::Attribute(true); }
};

class Filter {
 public:
  Filter();  // of everything
  ~Filter();
  Filter(const Filter&);
  Filter(Filter&&) noexcept;
  Filter& operator=(const Filter&);
  Filter& operator=(Filter&&) noexcept;

  // True when the value is true and no error arose (CESQL 1.2; a dialect has no errors, a missing attribute is false).
  bool matches(const events::Event& event) const;
  // The value and all errors. `time_spelling` stands for the attribute `time` where given.
  Evaluation evaluate(const events::Event& event, std::string_view time_spelling = {}) const;

  // The event types that can match, sorted; nothing where any type may. An empty list: nothing ever matches. For a
  // replay that skips segments and for subscribers indexed by type.
  std::optional<std::vector<std::string>> types() const;

  // What is wrong whatever the event is: functions that do not exist. Who makes a subscription refuses such a filter.
  const std::vector<Problem>& problems() const;

  // One dialect object ({"sql": "..."} for an expression), or the array it came as; compact, keys in their order.
  // compile_json(json()) is the same filter again.
  const std::string& json() const;

  struct Compiled;  // the room's own

 private:
  friend core::Result<Filter> compile(std::string_view);
  friend core::Result<Filter> compile_json(std::string_view);
  explicit Filter(std::shared_ptr<const Compiled> compiled);
  std::shared_ptr<const Compiled> compiled_;  // shared by the copies of one filter
};

// From a CESQL expression. Code::invalid names column, reason and remedy of a parse error.
core::Result<Filter> compile(std::string_view expression);

// From JSON: one dialect object, or an array of them of which all must hold (`filters` of a subscription; none: every
// event). Code::invalid names the place (/all/1/exact), the reason and the remedy.
core::Result<Filter> compile_json(std::string_view text);

// What `headrace filter test --cesql EXPR --event FILE` prints:
// {"result":...,"errors":[{"kind","message","position"}]}. A parse error is told in it with the result false. Fails
// only where `event_text` is no valid CloudEvent in JSON.
core::Result<std::string> test(std::string_view expression, std::string_view event_text);

}  // namespace headrace::filter
