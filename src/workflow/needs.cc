// The graph that `needs` makes of the jobs of a file.
#include <algorithm>
#include <map>

#include "workflow/read.h"

namespace headrace::workflow {
namespace {

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return text;
}

class Graph {
 public:
  Graph(Walk& walk, std::vector<Job>& jobs) : walk_(walk), jobs_(jobs), done_(jobs.size(), false) {
    for (size_t i = 0; i < jobs.size(); ++i) index_.emplace(lower(jobs[i].id), i);
  }

  // True where every need is a job of the file.
  bool settle() {
    bool known = true;
    for (Job& job : jobs_) {
      for (Text& need : job.needs) known = settle(job, need) && known;
    }
    return known;
  }

  // Takes away jobs whose needs are all taken away, until none is left to take: what stays is on a cycle or behind one.
  void report() {
    for (bool moved = true; moved;) {
      moved = false;
      for (size_t i = 0; i < jobs_.size(); ++i) {
        if (done_[i] || !std::ranges::all_of(jobs_[i].needs, [&](const Text& need) { return is_done(need); })) continue;
        done_[i] = moved = true;
      }
    }
    for (size_t i = 0; i < jobs_.size(); ++i) {
      if (!done_[i]) report(jobs_[i]);
    }
  }

  // One that is there where every job has needs: "a -> b -> a", each waiting for the next.
  std::string circle() const {
    std::vector<size_t> way;
    for (size_t at = 0;;) {
      auto before = std::ranges::find(way, at);
      if (before == way.end()) {
        way.push_back(at);
        at = index_.find(lower(jobs_[at].needs.front().value))->second;
        continue;
      }
      std::string shown;
      for (; before != way.end(); ++before) shown += jobs_[*before].id + " -> ";
      return shown + jobs_[at].id;
    }
  }

 private:
  bool settle(const Job& job, Text& need) const {
    auto found = index_.find(lower(need.value));
    if (found == index_.end()) {
      walk_.error(need.at, "Job '" + job.id + "' depends on unknown job '" + need.value + "'.");
      return false;
    }
    need.value = jobs_[found->second].id;
    return true;
  }

  bool is_done(const Text& need) const {
    auto found = index_.find(lower(need.value));
    return found != index_.end() && done_[found->second];
  }

  void report(const Job& job) {
    for (const Text& need : job.needs) {
      if (is_done(need)) continue;
      walk_.error(need.at, "Job '" + job.id + "' depends on job '" + need.value +
                               "' which creates a cycle in the dependency graph. Break it.");
    }
  }

  Walk& walk_;
  std::vector<Job>& jobs_;
  std::vector<bool> done_;
  std::map<std::string, size_t> index_;
};

}  // namespace

void check_needs(Walk& walk, const Node& jobs, std::vector<Job>& into) {
  Graph graph(walk, into);
  if (!graph.settle()) return;
  bool startable = std::ranges::any_of(into, [](const Job& job) { return job.needs.empty(); });
  if (!startable && !into.empty()) {
    return walk.error(jobs.at,
                      "The workflow must contain at least one job with no dependencies. Each waits for another: " +
                          graph.circle() + ". Break it.");
  }
  graph.report();
}

}  // namespace headrace::workflow
