#include "services/tests/comparison.h"

#include <map>

namespace headrace::tests {

using report::Outcome;

namespace {

// A test as one report has it: it may be there more than once, when it was tried again.
struct Standing {
  bool good = false, bad = false, flaky = false;
  Outcome worst = Outcome::passed;

  void add(const Mark& mark) {
    const bool first = !good && !bad;
    good = good || kind_of(mark.outcome) == Kind::good;
    bad = bad || kind_of(mark.outcome) == Kind::bad;
    flaky = flaky || mark.flaky;
    if (first || kind_of(mark.outcome) == Kind::bad) worst = mark.outcome;
  }
};

std::map<int64_t, Standing> standings(const std::string& blob) {
  std::map<int64_t, Standing> all;
  for (const Mark& mark : marks_of(blob)) all[mark.test].add(mark);
  return all;
}

bool differ(const Standing& a, const Standing& b) { return (a.good && b.bad) || (a.bad && b.good); }

}  // namespace

std::vector<Change> changes_in(const std::string& now, const std::optional<std::string>& before,
                               const std::vector<std::string>& same_tree, size_t max) {
  const auto last = standings(before.value_or(""));
  std::vector<std::map<int64_t, Standing>> others;
  for (const auto& blob : same_tree) others.push_back(standings(blob));
  std::vector<Change> changes;
  for (const auto& [test, standing] : standings(now)) {
    Change change{.test = test, .outcome = standing.worst};
    change.flaky = standing.flaky || (standing.good && standing.bad);
    auto found = last.find(test);
    if (found != last.end() && kind_of(found->second.worst) != kind_of(standing.worst) &&
        differ(found->second, standing))
      change.before = found->second.worst;
    for (const auto& other : others) {
      auto there = other.find(test);
      change.flaky = change.flaky || (there != other.end() && differ(there->second, standing));
    }
    if (change.before || change.flaky) changes.push_back(change);
    if (changes.size() >= max) break;
  }
  return changes;
}

}  // namespace headrace::tests
