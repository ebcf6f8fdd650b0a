// LocalRuns is the course of runs that no event log keeps: those of one `headrace exec`. What is decided is decided by
// the same functions as on the server (link_run, launch, go_on, judge, cancellations), only that the rows are in
// memory. Whoever has it is the runner: it takes what is said (take), and tells which jobs began and how they ended.
//
// Pure but for the clock; one thread.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/clock.h"
#include "services/pipeline/launch.h"

namespace headrace::pipeline {

class LocalRuns {
 public:
  struct Around {
    const core::Clock& clock;
    // The text of a workflow that a `uses` of a job names, as in link_run.
    workflow::Resolver called;
    workflow::Object vars = workflow::Object();
    std::string server_url = {};
    log::Offset first_id = 0;  // ids of runs and jobs come after it
  };
  explicit LocalRuns(Around around);

  // A run of this file, with `github` in its github context besides; it names what it is of but for ids, workflow,
  // title and jobs. With `only`, that job (its id, or its key "deploy/test") and all it needs. Errors: not_found: no
  // such job. A file that cannot run is a run that ended as startup_failure.
  core::Result<> start(events::RunQueued run, const SourceFile& file, workflow::Object github = workflow::Object(),
                       const std::string& only = {});

  // Of jobs that were said to be queued: on whom they began, how they ended.
  void began(const std::string& job, const std::string& runner);
  void ended(const events::JobFinished& finished);
  void cancel(const std::string& reason, Force force);

  std::vector<Word> take();  // what was said since, in order; JobExpanded among it
  std::vector<const RunRow*> runs() const;
  bool over() const;
  const JobRow* job(const std::string& uuid) const;

 private:
  struct Local {
    RunRow row;
    Planned planned;
    workflow::Object github = workflow::Object();
    size_t since = 0;
  };

  Planned plan(const SourceFile& file, events::RunQueued& run, const workflow::Object& github) const;
  workflow::Object contexts(const RunRow& run, const workflow::Object& github) const;
  void say(Local& run, Word word);
  void finish(Local& run, events::Conclusion conclusion, std::string errors);
  void go_on_all();
  bool advance(Local& run, std::set<std::string> admitted);
  std::set<std::string> groups() const;
  std::vector<Member> members_of(const std::string& group) const;
  bool settle_group(const std::string& group);
  void end_member(const Member& member);
  bool admit(const Member& member);
  Local* find(const std::string& run);
  Local* of_job(const std::string& job);

  Around around_;
  Ids ids_;
  std::list<Local> runs_;                // in the order in which they were started
  std::vector<Word> words_;              // not yet taken
  std::map<std::string, size_t> since_;  // jobs of a concurrency group: when they came to it
  size_t moments_ = 0;
};

// Leaves in the program the job `only` (its id at the top, or its key), what it needs, what calls it, and what is
// called by these. False: there is no such job, and nothing is changed.
bool keep_only(workflow::Program& program, const std::string& only);

}  // namespace headrace::pipeline
