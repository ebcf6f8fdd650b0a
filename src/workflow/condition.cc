// Whether a job runs. GitHub, "Evaluate expressions", "Status check functions"; "jobs.<job_id>.if", "needs".
#include <algorithm>

#include "workflow/evaluate.h"

namespace headrace::workflow {
namespace {

class JobStatus final : public Host {
 public:
  explicit JobStatus(const Standing& standing) : standing_(standing) {}

  std::expected<Value, std::string> call(std::string_view function, std::span<const Value> arguments) override {
    if (equal_in_any_case(function, "always")) return Value(true);
    if (equal_in_any_case(function, "cancelled")) return Value(standing_.cancelled);
    if (equal_in_any_case(function, "success")) return success(arguments);
    if (equal_in_any_case(function, "failure")) return failure(arguments);
    return std::unexpected("The function '" + std::string(function) + "' is not known here.");
  }

 private:
  std::expected<std::vector<std::string>, std::string> results(std::span<const Value> names) const {
    if (names.empty()) return standing_.ancestors;
    std::vector<std::string> results;
    for (const Value& name : names) {
      auto found = std::ranges::find_if(
          standing_.needs, [&](const auto& need) { return equal_in_any_case(need.first, name.to_text()); });
      if (found == standing_.needs.end()) {
        return std::unexpected("The job '" + name.to_text() + "' is not among `needs`. Name it there.");
      }
      results.push_back(found->second);
    }
    return results;
  }

  std::expected<Value, std::string> success(std::span<const Value> names) const {
    auto list = results(names);
    if (!list) return std::unexpected(std::move(list.error()));
    bool good = std::ranges::all_of(*list, [](const std::string& result) { return result == "success"; });
    return Value(good && !standing_.cancelled);
  }

  std::expected<Value, std::string> failure(std::span<const Value> names) const {
    auto list = results(names);
    if (!list) return std::unexpected(std::move(list.error()));
    bool bad = std::ranges::find(*list, "failure") != list->end();
    return Value(bad && !standing_.cancelled);
  }

  const Standing& standing_;
};

}  // namespace

Evaluated<bool> runs(const Program& program, const JobTemplate& job, const Object& contexts, const Standing& standing) {
  const Job& written = program.job(job);
  JobStatus status(standing);
  auto refuse = [&](const ExpressionError& error) {
    return std::unexpected(Failure{written.condition_at, error.message, program.workflow(job).file});
  };
  auto condition = Expression::parse(written.condition, {.contexts = {}, .any_name = true});
  if (!condition) return refuse(condition.error());
  auto value = condition->evaluate(contexts, &status);
  if (!value) return refuse(value.error());
  return value->truthy();
}

}  // namespace headrace::workflow
