// `jobs` and their steps, and the graph that `needs` makes of them.
#include <algorithm>
#include <map>
#include <set>

#include "workflow/reader.h"

namespace headrace::workflow {
namespace {

std::string lower_case(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return text;
}

constexpr Property<Step> step_properties[] = {
    {"name", [](Reader& r, const Node& n, Step& s) { s.name = r.text(n, "steps.name").value_or(""); }},
    {"id",
     [](Reader& r, const Node& n, Step& s) {
       s.id = r.string(n, "steps.id").value_or("");
       r.identifier(s.id, n.at);
     }},
    {"if", [](Reader& r, const Node& n, Step& s) { s.condition = r.condition(n, s.condition_text); }},
    {"run", [](Reader& r, const Node& n, Step& s) { s.run = r.text(n, "steps.run").value_or(""); }},
    {"uses",
     [](Reader& r, const Node& n, Step& s) {
       s.uses = r.string(n, "steps.uses").value_or("");
       r.unsupported(n.at, "jobs.<job_id>.steps[*].uses");
     }},
    {"with", nullptr},
    {"shell", [](Reader& r, const Node& n, Step& s) { s.shell = r.shell(n, "steps.shell"); }},
    {"working-directory", [](Reader& r, const Node& n,
                             Step& s) { s.working_directory = r.text(n, "steps.working-directory").value_or(""); }},
    {"env", [](Reader& r, const Node& n, Step& s) { s.env = r.variables(n, "steps.env"); }},
    {"timeout-minutes",
     [](Reader& r, const Node& n, Step& s) { s.timeout_minutes = r.minutes(n, "steps.timeout-minutes"); }},
    {"continue-on-error",
     [](Reader& r, const Node& n, Step& s) { s.continue_on_error = r.boolean(n, "steps.continue-on-error"); }},
};

Step read_step(Reader& reader, const Node& node) {
  Step step;
  step.at = node.at;
  read_mapping(reader, node, "jobs.<job_id>.steps[*].", step_properties, step);
  if (node.kind != Node::Kind::mapping) return step;
  bool runs = node.find("run") != nullptr;
  bool uses = node.find("uses") != nullptr;
  if (!runs && !uses) reader.error(node.at, "Required property is missing: run. A step has `run` or `uses`.");
  if (runs && uses) reader.error(node.at, "A step has `run` or `uses`, not both. Make two steps of it.");
  return step;
}

void read_steps(Reader& reader, const Node& node, Job& job) {
  if (!reader.expect(node, Node::Kind::sequence)) return;
  if (node.items.size() > steps_max) return reader.error(node.at, "The job has more than 1000 steps. Split it.");
  std::set<std::string> ids;
  for (const Node& item : node.items) {
    job.steps.push_back(read_step(reader, item));
    const std::string& id = job.steps.back().id;
    if (id.empty() || ids.insert(lower_case(id)).second) continue;
    reader.error(item.at, "The identifier '" + id + "' may not be used more than once within the same job.");
  }
}

void read_runs_on(Reader& reader, const Node& node, Job& job) {
  if (node.kind == Node::Kind::mapping) return reader.unsupported(node.at, "jobs.<job_id>.runs-on as a mapping");
  for (Text& label : reader.strings(node, "jobs.<job_id>.runs-on")) job.runs_on.push_back(std::move(label.value));
  if (job.runs_on.empty() && node.kind == Node::Kind::sequence) {
    reader.error(node.at, "jobs.<job_id>.runs-on names no runner. Name at least one label, such as ubuntu-latest.");
  }
}

constexpr Property<Job> job_properties[] = {
    {"name", [](Reader& r, const Node& n, Job& j) { j.name = r.text(n, "jobs.<job_id>.name").value_or(""); }},
    {"needs", [](Reader& r, const Node& n, Job& j) { j.needs = r.strings(n, "jobs.<job_id>.needs"); }},
    {"if", [](Reader& r, const Node& n, Job& j) { j.condition = r.condition(n, j.condition_text); }},
    {"runs-on", read_runs_on},
    {"permissions", [](Reader& r, const Node& n, Job&) { r.permissions(n, "jobs.<job_id>.permissions"); }},
    {"env", [](Reader& r, const Node& n, Job& j) { j.env = r.variables(n, "jobs.<job_id>.env"); }},
    {"defaults", [](Reader& r, const Node& n, Job& j) { j.defaults = r.defaults(n, "jobs.<job_id>.defaults."); }},
    {"steps", read_steps},
    {"timeout-minutes",
     [](Reader& r, const Node& n, Job& j) { j.timeout_minutes = r.minutes(n, "jobs.<job_id>.timeout-minutes"); }},
    {"continue-on-error",
     [](Reader& r, const Node& n, Job& j) { j.continue_on_error = r.boolean(n, "jobs.<job_id>.continue-on-error"); }},
    {"uses",
     [](Reader& r, const Node& n, Job& j) {
       j.uses = r.string(n, "jobs.<job_id>.uses").value_or("");
       r.unsupported(n.at, "jobs.<job_id>.uses");
     }},
    {"environment", nullptr},
    {"concurrency", nullptr},
    {"outputs", nullptr},
    {"strategy", nullptr},
    {"container", nullptr},
    {"services", nullptr},
    {"with", nullptr},
    {"secrets", nullptr},
    {"snapshot", nullptr},
    {"cancel-timeout-minutes", nullptr},
};

Job read_job(Reader& reader, const Pair& pair) {
  Job job;
  job.at = pair.key.at;
  job.id = pair.key.text;
  reader.identifier(job.id, pair.key.at);
  read_mapping(reader, pair.value, "jobs.<job_id>.", job_properties, job);
  if (pair.value.kind != Node::Kind::mapping) return job;
  bool runs = pair.value.find("runs-on") != nullptr;
  bool uses = pair.value.find("uses") != nullptr;
  if (!runs && !uses) reader.error(pair.value.at, "Required property is missing: runs-on");
  if (runs && uses) reader.error(pair.value.at, "A job has `runs-on` or `uses`, not both. Make two jobs of it.");
  return job;
}

// The graph: every need is a job of the file, and following needs ends.
class Graph {
 public:
  Graph(Reader& reader, const std::vector<Job>& jobs) : reader_(reader), jobs_(jobs) {
    for (size_t i = 0; i < jobs.size(); ++i) index_.emplace(lower_case(jobs[i].id), i);
  }

  void check() {
    for (const Job& job : jobs_) {
      for (const Text& need : job.needs) known(job, need);
    }
    if (!reader_.errors.empty() || jobs_.empty()) return;
    if (std::ranges::none_of(jobs_, [](const Job& job) { return job.needs.empty(); })) {
      return reader_.error(jobs_[0].at, "The workflow must contain at least one job with no dependencies.");
    }
    report_cycle();
  }

 private:
  void known(const Job& job, const Text& need) {
    if (need.value.contains("${{") || index_.contains(lower_case(need.value))) return;
    reader_.error(need.at, "Job '" + job.id + "' depends on unknown job '" + need.value + "'.");
  }

  // Takes away jobs whose needs are all taken away, until none is left to take: what stays is on a cycle or behind one.
  void report_cycle() {
    std::vector<bool> done(jobs_.size(), false);
    bool moved = true;
    while (moved) {
      moved = false;
      for (size_t i = 0; i < jobs_.size(); ++i) {
        if (done[i] || !ready(jobs_[i], done)) continue;
        done[i] = moved = true;
      }
    }
    auto stuck = std::ranges::find(done, false);
    if (stuck == done.end()) return;
    const Job& job = jobs_[static_cast<size_t>(stuck - done.begin())];
    reader_.error(job.needs[0].at, "Job '" + job.id + "' depends on job '" + job.needs[0].value +
                                       "', which creates a cycle in the dependency graph. Break it.");
  }

  bool ready(const Job& job, const std::vector<bool>& done) const {
    return std::ranges::all_of(job.needs, [&](const Text& need) {
      auto found = index_.find(lower_case(need.value));
      return found == index_.end() || done[found->second];
    });
  }

  Reader& reader_;
  const std::vector<Job>& jobs_;
  std::map<std::string, size_t> index_;
};

// Needs in the spelling of the jobs they name: ids are compared whatever the case.
void settle_needs(std::vector<Job>& jobs) {
  std::map<std::string, std::string> spelling;
  for (const Job& job : jobs) spelling.emplace(lower_case(job.id), job.id);
  for (Job& job : jobs) {
    for (Text& need : job.needs) {
      auto found = spelling.find(lower_case(need.value));
      if (found != spelling.end()) need.value = found->second;
    }
  }
}

}  // namespace

std::vector<Job> read_jobs(Reader& reader, const Node& node) {
  std::vector<Job> jobs;
  if (!reader.expect(node, Node::Kind::mapping)) return jobs;
  if (node.pairs.empty()) reader.error(node.at, "'jobs' has no job. Write at least one.");
  if (node.pairs.size() > jobs_max) {
    reader.error(node.at, "The workflow has more than 256 jobs. Split it.");
    return jobs;
  }
  std::set<std::string> ids;
  for (const Pair& pair : node.pairs) {
    if (!ids.insert(lower_case(pair.key.text)).second) {
      reader.error(pair.key.at, "'" + pair.key.text + "' is already defined. Ids differ by more than case.");
    }
    jobs.push_back(read_job(reader, pair));
  }
  Graph(reader, jobs).check();
  settle_needs(jobs);
  return jobs;
}

}  // namespace headrace::workflow
