#include "services/pipeline/graph.h"

#include <algorithm>
#include <map>
#include <set>

namespace headrace::pipeline {
namespace {

using events::Conclusion;
using workflow::Condition;

// What counts of a completed job, for those after it and for the run.
Conclusion counted(const Vertex& job) {
  Conclusion conclusion = job.conclusion.value_or(Conclusion::success);
  bool failed = conclusion == Conclusion::failure || conclusion == Conclusion::timed_out;
  return failed && job.continue_on_error ? Conclusion::success : conclusion;
}

class Graph {
 public:
  Graph(std::vector<Vertex> jobs, bool cancelled) : jobs_(std::move(jobs)), cancelled_(cancelled) {
    for (size_t i = 0; i < jobs_.size(); ++i) index_[jobs_[i].key] = i;
  }

  Advance advance() {
    Advance result;
    for (bool moved = true; moved;) {  // a job that is skipped may decide those after it
      moved = false;
      for (Vertex& job : jobs_) moved = decide(job, result) || moved;
    }
    if (std::ranges::all_of(jobs_, is_completed)) result.finished = conclusion_of(jobs_);
    return result;
  }

 private:
  static bool is_completed(const Vertex& job) { return job.status == Status::completed; }
  const Vertex& at(const std::string& key) const { return jobs_[index_.at(key)]; }

  bool decide(Vertex& job, Advance& result) {
    bool ready = std::ranges::all_of(job.needs, [this](const std::string& key) { return is_completed(at(key)); });
    if (job.status != Status::waiting || !ready) return false;
    if (runs(job)) {
      job.status = Status::queued;
      result.queue.push_back(job.key);
      return true;
    }
    job.status = Status::completed;
    job.conclusion = Conclusion::skipped;
    result.skip.emplace_back(job.key, reason(job));
    return true;
  }

  bool runs(const Vertex& job) const {
    switch (job.condition) {
      case Condition::success: return !cancelled_ && all_succeeded(job);
      case Condition::failure: return !cancelled_ && any_failed(job);
      case Condition::always: return true;
      case Condition::cancelled: return cancelled_;
      case Condition::never: return false;
    }
    return false;
  }

  std::set<std::string> before(const Vertex& job) const {
    std::set<std::string> found;
    std::vector<std::string> left = job.needs;
    while (!left.empty()) {
      std::string key = std::move(left.back());
      left.pop_back();
      if (!found.insert(key).second) continue;
      const auto& needs = at(key).needs;
      left.insert(left.end(), needs.begin(), needs.end());
    }
    return found;
  }

  bool all_succeeded(const Vertex& job) const {
    return std::ranges::all_of(before(job),
                               [this](const auto& key) { return counted(at(key)) == Conclusion::success; });
  }

  bool any_failed(const Vertex& job) const {
    return std::ranges::any_of(before(job), [this](const auto& key) {
      Conclusion conclusion = counted(at(key));
      return conclusion == Conclusion::failure || conclusion == Conclusion::timed_out;
    });
  }

  std::string reason(const Vertex& job) const {
    if (job.condition == Condition::never) return "Its `if` is false.";
    if (job.condition == Condition::cancelled) return "Its `if` is cancelled(), and the run was not cancelled.";
    if (cancelled_) return "The run was cancelled.";
    if (job.condition == Condition::failure) return "Its `if` is failure(), and no job before it failed.";
    for (const std::string& key : before(job)) {
      Conclusion conclusion = counted(at(key));
      if (conclusion == Conclusion::success) continue;
      return "The job '" + key + "' before it did not succeed: " + std::string(events::name_of(conclusion)) + ".";
    }
    return "A job before it did not succeed.";
  }

  std::vector<Vertex> jobs_;
  std::map<std::string, size_t> index_;
  bool cancelled_;
};

}  // namespace

Advance advance(std::vector<Vertex> jobs, bool cancelled) { return Graph(std::move(jobs), cancelled).advance(); }

Conclusion conclusion_of(const std::vector<Vertex>& jobs) {
  auto any = [&jobs](Conclusion wanted) {
    return std::ranges::any_of(jobs, [wanted](const Vertex& job) { return counted(job) == wanted; });
  };
  for (Conclusion worst :
       {Conclusion::failure, Conclusion::startup_failure, Conclusion::timed_out, Conclusion::cancelled}) {
    if (any(worst)) return worst == Conclusion::startup_failure ? Conclusion::failure : worst;
  }
  bool all_skipped = std::ranges::all_of(jobs, [](const Vertex& job) { return counted(job) == Conclusion::skipped; });
  return all_skipped && !jobs.empty() ? Conclusion::skipped : Conclusion::success;
}

}  // namespace headrace::pipeline
