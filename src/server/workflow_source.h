// Workflow files of a commit, for the pipeline, read from the repositories.
#pragma once

#include "services/pipeline/pipeline.h"
#include "services/repository/repository.h"

namespace headrace::server {

class RepositoryWorkflows final : public pipeline::WorkflowSource {
 public:
  explicit RepositoryWorkflows(repository::Repositories& repositories)
      : repositories_(repositories) {}  // outlives this

  core::Task<core::Result<pipeline::Snapshot>> files(std::string repository, std::string commit) override;
  core::Task<core::Result<std::string>> commit_of(std::string repository, std::string ref) override;
  core::Task<core::Result<pipeline::Changes>> changes(std::string repository, pipeline::Comparison what) override;

 private:
  core::Task<core::Result<repository::Repo>> find(std::string repository);
  repository::Repositories& repositories_;
};

}  // namespace headrace::server
