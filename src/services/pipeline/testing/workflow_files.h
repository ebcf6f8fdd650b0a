// A WorkflowSource in memory for tests: commits with files, and failures on request.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "services/pipeline/pipeline.h"

namespace headrace::pipeline::testing {

class WorkflowFiles final : public WorkflowSource {
 public:
  WorkflowFiles& commit(const std::string& commit, std::vector<SourceFile> files) {
    std::string title = "Title of " + commit.substr(0, 7);
    commits_[commit] = {commit, title, title, std::move(files)};
    return *this;
  }
  // Another id that comes down to the commit, as an annotated tag does.
  void tag(const std::string& tag, const std::string& commit) { commits_[tag] = commits_[commit]; }
  void message(const std::string& commit, const std::string& text) { commits_[commit].message = text; }
  // What a comparison that ends at the commit finds.
  Changes& changes_at(const std::string& commit) { return changes_[commit]; }
  const std::vector<Comparison>& compared() const { return compared_; }
  void point(const std::string& ref, const std::string& commit) { refs_[ref] = commit; }
  void forget(const std::string& commit) { commits_.erase(commit); }
  void fail_next(int times) { failures_ = times; }
  int reads() const { return reads_; }

  core::Task<core::Result<Snapshot>> files(std::string, std::string commit) override {
    ++reads_;
    if (failures_ > 0) {
      --failures_;
      co_return core::fail(core::Code::unavailable, "The disk is slow today.");
    }
    auto found = commits_.find(commit);
    if (found == commits_.end()) co_return core::fail(core::Code::not_found, "There is no commit " + commit + ".");
    co_return found->second;
  }

  core::Task<core::Result<std::string>> commit_of(std::string, std::string ref) override {
    auto found = refs_.find(ref);
    if (found == refs_.end()) co_return core::fail(core::Code::not_found, "There is no ref " + ref + ".");
    co_return found->second;
  }

  core::Task<core::Result<Changes>> changes(std::string, Comparison what) override {
    compared_.push_back(what);
    auto found = changes_.find(what.after);
    if (found != changes_.end()) co_return found->second;
    Changes changes;
    changes.head.emplace();
    changes.head->id = what.after;
    changes.head->message = commits_[what.after].message;
    changes.commits.push_back(*changes.head);
    changes.changed_paths.emplace({std::string("README.md")});
    co_return changes;
  }

 private:
  std::map<std::string, Snapshot> commits_;
  std::map<std::string, Changes> changes_;
  std::vector<Comparison> compared_;
  std::map<std::string, std::string> refs_;
  int failures_ = 0;
  int reads_ = 0;
};

}  // namespace headrace::pipeline::testing
