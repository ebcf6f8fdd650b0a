// A WorkflowSource in memory for tests: commits with files, and failures on request.
#pragma once

#include <map>
#include <string>

#include "services/pipeline/pipeline.h"

namespace headrace::pipeline::testing {

class WorkflowFiles final : public WorkflowSource {
 public:
  WorkflowFiles& commit(const std::string& commit, std::vector<SourceFile> files) {
    commits_[commit] = {"Title of " + commit.substr(0, 7), std::move(files)};
    return *this;
  }
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

 private:
  std::map<std::string, Snapshot> commits_;
  std::map<std::string, std::string> refs_;
  int failures_ = 0;
  int reads_ = 0;
};

}  // namespace headrace::pipeline::testing
