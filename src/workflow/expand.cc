#include "workflow/expand.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "core/beginning.h"
#include "workflow/matrix.h"

namespace headrace::workflow {
namespace {

constexpr double minutes_max = 365 * 24 * 60;
constexpr size_t name_bytes_max = 256;

// Takes the value out of a result, or leaves with its error.
template <class T>
bool take(Evaluated<T>&& from, T& into, Failure& failure) {
  if (from) {
    into = std::move(*from);
    return true;
  }
  failure = std::move(from.error());
  return false;
}

std::string cut(std::string name) {
  if (name.size() <= name_bytes_max) return name;
  return std::string(core::beginning(name, name_bytes_max)) + "...";
}

class Expander {
 public:
  Expander(const Expanding& expanding, Expansion& into) : the_(expanding), into_(into) {}

  Evaluated<Expansion> run() {
    const Node& strategy = the_.job.body.at_or_null("strategy");
    std::vector<Value> legs;
    Failure failure;
    if (!read_strategy(strategy, legs, failure)) return std::unexpected(std::move(failure));
    for (size_t i = 0; i < legs.size(); ++i) {
      Leg leg;
      leg.matrix = std::move(legs[i]);
      leg.strategy = strategy_context(i, legs.size());
      if (!fill(leg, failure)) return std::unexpected(std::move(failure));
      into_.legs.push_back(std::move(leg));
    }
    return std::move(into_);
  }

 private:
  bool read_strategy(const Node& node, std::vector<Value>& legs, Failure& failure) {
    Evaluation evaluation(the_.workflow.file, the_.contexts);
    Node computed;  // strategy: ${{ fromJSON(...) }}
    const Node* strategy = &node;
    if (node.is_string()) {
      Value whole;
      if (!take(evaluation.value(node), whole, failure)) return false;
      return computed_strategy(node, whole, legs, failure);
    }
    double parallel = 0;
    if (!take(evaluation.truth(strategy->at_or_null("fail-fast"), true), into_.fail_fast, failure)) return false;
    if (!take(evaluation.number(strategy->at_or_null("max-parallel"), 0), parallel, failure)) return false;
    into_.max_parallel = parallel < 1 ? 0 : static_cast<int64_t>(std::min(parallel, double{legs_max}));
    return take(matrix_legs(evaluation, strategy->at_or_null("matrix")), legs, failure);
  }

  bool computed_strategy(const Node& node, const Value& whole, std::vector<Value>& legs, Failure& failure) {
    Object holder;
    holder.set("strategy", whole);
    Evaluation evaluation(the_.workflow.file, holder);
    auto part = [&](const char* name) {
      Node made;
      if (whole.find(name) == nullptr) return made;
      made.kind = Node::Kind::string;
      made.at = node.at;
      made.text = std::string("${{ strategy['") + name + "'] }}";
      return made;
    };
    double parallel = 0;
    if (!take(evaluation.truth(part("fail-fast"), true), into_.fail_fast, failure)) return false;
    if (!take(evaluation.number(part("max-parallel"), 0), parallel, failure)) return false;
    into_.max_parallel = parallel < 1 ? 0 : static_cast<int64_t>(std::min(parallel, double{legs_max}));
    return take(matrix_legs(evaluation, part("matrix")), legs, failure);
  }

  Value strategy_context(size_t index, size_t total) const {
    int64_t parallel = into_.max_parallel > 0 ? into_.max_parallel : static_cast<int64_t>(total);
    Object strategy;
    strategy.set("fail-fast", Value(into_.fail_fast));
    strategy.set("job-index", Value(index));
    strategy.set("job-total", Value(total));
    strategy.set("max-parallel", Value(parallel));
    return Value(std::move(strategy));
  }

  bool fill(Leg& leg, Failure& failure) {
    Object contexts = the_.contexts;
    contexts.set("matrix", leg.matrix);
    contexts.set("strategy", leg.strategy);
    Evaluation evaluation(the_.workflow.file, contexts);
    if (!name(leg, evaluation, failure) || !settings(leg, evaluation, failure)) return false;
    if (the_.wanted.calls()) return pass_on(leg, evaluation, contexts, failure);
    if (!runner(leg, evaluation, failure) || !environment(leg, evaluation, failure)) return false;
    leg.restricted = !leg.environment.empty() || the_.used.uses_secrets;
    return take(make_spec(the_, leg, contexts), leg.spec, failure);
  }

  // A written name without ${{ }} gets the leg's values behind it, as the id does; one with ${{ }} stands as it is.
  bool name(Leg& leg, const Evaluation& evaluation, Failure& failure) {
    std::string suffix = leg_suffix(leg.matrix);
    if (!suffix.empty()) suffix = " (" + suffix + ")";
    const Node& written = the_.job.body.at_or_null("name");
    std::string shown;
    if (!take(evaluation.text(written), shown, failure)) return false;
    if (shown.empty())
      shown = the_.job.id + suffix;
    else if (!holds_expression(written.text))
      shown += suffix;
    shown = cut(std::move(shown));
    leg.name = the_.instance.name.empty() ? shown : the_.instance.name + " / " + shown;
    std::string prefix = the_.instance.key.empty() ? "" : the_.instance.key + "/";
    std::string key = prefix + cut(the_.job.id + suffix);
    leg.key = key;
    for (int number = 2; !keys_.insert(leg.key).second; ++number) leg.key = key + " #" + std::to_string(number);
    return true;
  }

  bool settings(Leg& leg, const Evaluation& evaluation, Failure& failure) {
    return take(read_concurrency(evaluation, the_.job.body.at_or_null("concurrency")), leg.concurrency, failure);
  }

  bool pass_on(Leg& leg, const Evaluation& evaluation, const Object& contexts, Failure& failure) {
    if (!take(call_inputs(the_, evaluation), leg.inputs, failure)) return false;
    leg.instance.key = leg.key;
    leg.instance.name = leg.name;
    leg.instance.permissions = the_.permissions;
    return take(call_secrets(the_, evaluation, contexts), leg.instance.secrets, failure);
  }

  bool runner(Leg& leg, const Evaluation& evaluation, Failure& failure) {
    double minutes = 0;
    const Node& timeout = the_.job.body.at_or_null("timeout-minutes");
    if (!take(evaluation.number(timeout, double{timeout_minutes_default}), minutes, failure)) return false;
    if (minutes <= 0) {
      failure = evaluation.failure(timeout, "'timeout-minutes' must be more than 0; leave it out for 360.");
      return false;
    }
    leg.timeout_minutes = static_cast<int64_t>(std::ceil(std::min(minutes, minutes_max)));
    if (!take(evaluation.truth(the_.job.body.at_or_null("continue-on-error"), false), leg.continue_on_error, failure)) {
      return false;
    }
    const Node& runs_on = the_.job.body.at_or_null("runs-on");
    Value wanted;
    if (!take(evaluation.value(runs_on), wanted, failure)) return false;
    const Value* group = wanted.find("group");
    if (group != nullptr) leg.group = group->to_text();
    const Value* labels = wanted.if_object() != nullptr ? wanted.find("labels") : &wanted;
    if (labels != nullptr) add_labels(*labels, leg.labels);
    // Ours: an expression that names nothing asks for what most files ask for.
    if (leg.labels.empty() && leg.group.empty()) leg.labels.emplace_back("ubuntu-latest");
    return true;
  }

  static void add_labels(const Value& value, std::vector<std::string>& labels) {
    if (const Array* items = value.if_array()) {
      for (const Value& item : *items) add_labels(item, labels);
    } else if (std::string text = value.to_text(); !text.empty()) {
      labels.push_back(std::move(text));
    }
  }

  bool environment(Leg& leg, const Evaluation& evaluation, Failure& failure) {
    const Node& node = the_.job.body.at_or_null("environment");
    Value whole;
    if (node.is_mapping()) return take(evaluation.text(node.at_or_null("name")), leg.environment, failure);
    if (!take(evaluation.value(node), whole, failure)) return false;
    const Value* name = whole.if_object() != nullptr ? whole.find("name") : &whole;
    if (name != nullptr) leg.environment = name->to_text();
    return true;
  }

  const Expanding& the_;
  Expansion& into_;
  std::set<std::string> keys_;
};

}  // namespace

Evaluated<Concurrency> read_concurrency(const Evaluation& evaluation, const Node& node) {
  Concurrency concurrency;
  auto whole = evaluation.value(node);
  if (!whole) return std::unexpected(std::move(whole.error()));
  if (whole->if_object() == nullptr) {
    concurrency.group = whole->to_text();
    return concurrency;
  }
  if (const Value* group = whole->find("group")) concurrency.group = group->to_text();
  if (const Value* queue = whole->find("queue")) concurrency.queue_all = queue->to_text() == "max";
  if (const Value* cancel = whole->find("cancel-in-progress")) {
    concurrency.cancel_in_progress = cancel->truthy() && cancel->to_text() != "false";
  }
  return concurrency;
}

Evaluated<Expansion> expand(const Program& program, const JobTemplate& wanted, const Object& contexts,
                            const Instance& instance, const Given& given) {
  const Workflow& workflow = program.workflow(wanted);
  const Job& job = program.job(wanted);
  Permissions outer = instance.permissions.value_or(default_permissions(program.token));
  Permissions permissions = job_permissions(workflow, job, outer);
  if (instance.permissions) permissions = at_most(std::move(permissions), *instance.permissions);
  if (!given.trusted) permissions = reads_of(std::move(permissions));
  Expanding expanding{program, wanted, job, workflow, contexts, instance, given, std::move(permissions)};
  if (!wanted.calls()) share(expanding);
  Expansion into;
  return Expander(expanding, into).run();
}

}  // namespace headrace::workflow
