// Expressions of the workflow language: what stands in ${{ }} and in `if`. Read once, evaluated as often as wanted,
// without reading again. Pure: no I/O, no clock; what depends on the world comes as contexts and from a Host.
// Everything here copies cheaply (shared, immutable) and may be used from any thread.
//
//   Expression   one expression, without ${{ }}
//   Template     a text with any number of ${{ }}: what a value of a workflow file is
//   condition    the text of an `if`, with success() put in where no status function is called
//
// Rules: GitHub, "Evaluate expressions in workflows and actions"; the cases that GitHub's evaluators share
// (docs/expressions.md says where they hold us). Bounds are GitHub's; time is bounded by text and memory.
#pragma once

#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "workflow/expression_value.h"

namespace headrace::workflow {

inline constexpr size_t expression_length_max = 21'000;          // in UTF-16 code units, as GitHub counts
inline constexpr size_t expression_depth_max = 50;               // of operators and calls within each other
inline constexpr size_t expression_memory_max = 1024 * 1024;     // what one evaluation may hold, as GitHub reckons it
inline constexpr size_t template_memory_max = 10 * 1024 * 1024;  // the same for a template, and each expression in it
inline constexpr size_t parameters_max = 255;                    // of format, join, case and hashFiles

struct ExpressionError {
  enum class Stage { lexing, parsing, evaluation };
  Stage stage = Stage::parsing;
  std::string message;  // GitHub's words: "Unexpected symbol: 'x'. Located at position 3 within expression: 1 x"
  size_t position = 0;  // from 1, UTF-16 code units, within the expression (without ${{ }}); 0: the whole of it
  size_t offset = 0;    // bytes from the start of the text that was given (for a template: of the whole text)
  bool operator==(const ExpressionError&) const = default;
};
std::string_view name_of(ExpressionError::Stage stage);  // "lexing"

// A function that the host gives beside contains, startsWith, endsWith, format, join, toJSON, fromJSON and case.
struct HostFunction {
  std::string_view name;
  size_t parameters_min = 0;
  size_t parameters_max = 0;
};
inline constexpr HostFunction status_functions[] = {
    {"success", 0, 0}, {"failure", 0, 0}, {"always", 0, 0}, {"cancelled", 0, 0}};
// In the `if` of a job success and failure take the names of needed jobs (GitHub accepts up to 255).
inline constexpr HostFunction job_status_functions[] = {
    {"success", 0, parameters_max}, {"failure", 0, parameters_max}, {"always", 0, 0}, {"cancelled", 0, 0}};
inline constexpr HostFunction step_functions[] = {
    {"success", 0, 0}, {"failure", 0, 0}, {"always", 0, 0}, {"cancelled", 0, 0}, {"hashFiles", 1, parameters_max}};
inline constexpr HostFunction hash_files_function[] = {{"hashFiles", 1, parameters_max}};

// The names that an expression may use where it stands; anything else is a parsing error. What the spans refer to is
// needed only while reading. Names match without regard to case.
struct Language {
  std::span<const std::string_view> contexts;    // "github", "env", ...
  std::span<const HostFunction> functions = {};  // beside the built-in ones
  bool any_name = false;                         // every context and function is accepted: to look at syntax alone
};

// What the world answers while an expression is evaluated. Called with the function's name as its HostFunction spells
// it (with any_name: as written). An error is the reason, as a sentence; it becomes the evaluation's error.
class Host {
 public:
  virtual ~Host() = default;
  virtual std::expected<Value, std::string> call(std::string_view function, std::span<const Value> arguments) = 0;
};

// A context or a function that an expression names, for checks.
struct Reference {
  enum class Kind { context, function };
  Kind kind = Kind::context;
  std::string name;  // lower case: "needs", "hashfiles"
  // Of a context, what follows it: needs.build.outputs['x'] is build, outputs, x as written; nothing for * and for what
  // is computed: steps[matrix.id].outputs is nothing, outputs.
  std::vector<std::optional<std::string>> path;
  std::vector<std::optional<std::string>> arguments;  // of a function: its literal strings
  size_t position = 0;                                // as in ExpressionError
  size_t offset = 0;
};

// Hears a context whose text may stand in a value, and whether all of an object would, as JSON.
using SeeCarried = std::function<void(const Reference&, bool as_json)>;

struct ExpressionProgram;

class Expression {
 public:
  Expression();  // null, as of an empty text

  // An empty or blank text is null.
  static std::expected<Expression, ExpressionError> parse(std::string_view text, const Language& language);

  // `contexts` maps names to values; one that is absent there is null. Without a host its functions are errors.
  std::expected<Value, ExpressionError> evaluate(const Object& contexts, Host* host = nullptr,
                                                 size_t memory_max = expression_memory_max) const;

  const std::string& text() const;                   // without ${{ }}, trimmed
  const std::vector<Reference>& references() const;  // in the order of the text
  void visit(const std::function<void(const Reference&)>& see) const;
  void visit_carried(const SeeCarried& see) const;  // not what is only compared, searched, hashed or asked
  bool names_context(std::string_view name) const;  // any case
  bool calls(std::string_view function) const;      // any case
  bool calls_status_function() const;               // success, failure, always or cancelled
  std::optional<Value> literal() const;             // where it is one literal, whatever the contexts

 private:
  explicit Expression(std::shared_ptr<const ExpressionProgram> program) : program_(std::move(program)) {}
  friend std::expected<Expression, ExpressionError> parse_condition(std::string_view text, const Language& language);
  std::shared_ptr<const ExpressionProgram> program_;
};

// The condition of a job or step: the text of `if`, with or without ${{ }} around it. Where it calls no status function
// it is `success() && (TEXT)`, and `success()` where it is blank; text() says so. Its evaluation's value counts by
// truthy(). Text beside ${{ }} makes it format('...', ...) as on GitHub: always true, so say so to the user
// (has_text_beside_expression).
std::expected<Expression, ExpressionError> parse_condition(std::string_view text, const Language& language);

class Template {
 public:
  Template();  // the empty literal

  // "a ${{ b }} c". Without ${{ it is a literal. Of several errors the first is given; its offset counts in `text`.
  static std::expected<Template, ExpressionError> parse(std::string_view text, const Language& language);
  static Template literal(std::string text);
  static Template of(Expression expression);  // the expression alone, as ${{ }} around it would have it

  // The value itself, of any kind, where the whole text is one ${{ }}; a string otherwise, made as format() makes it.
  std::expected<Value, ExpressionError> evaluate(const Object& contexts, Host* host = nullptr,
                                                 size_t memory_max = template_memory_max) const;
  // The same as a string: null is "", an array "Array".
  std::expected<std::string, ExpressionError> evaluate_text(const Object& contexts, Host* host = nullptr,
                                                            size_t memory_max = template_memory_max) const;

  struct Part {
    std::string literal;  // as it is, where there is no expression
    std::optional<Expression> expression;
    size_t offset = 0;  // bytes: of the literal, or of the expression's own text, past ${{ and blanks
  };
  const std::vector<Part>& parts() const;
  bool is_literal() const;                                             // holds no expression
  bool is_expression() const;                                          // is one ${{ }} and nothing else
  const std::string& text() const;                                     // as given
  void visit(const std::function<void(const Reference&)>& see) const;  // offsets count in text()
  void visit_carried(const SeeCarried& see) const;                     // the same
  bool names_context(std::string_view name) const;
  bool calls(std::string_view function) const;

 private:
  struct Content;
  std::shared_ptr<const Content> content_;
};

// True where a text holds ${{ }} and more than blanks beside it. In a condition that is a mistake.
bool has_text_beside_expression(const Template& text);

// True where the text holds "${{": what makes a scalar of a workflow file a template.
bool holds_expression(std::string_view text);

}  // namespace headrace::workflow
