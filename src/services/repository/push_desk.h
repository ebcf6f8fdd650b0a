// PushDesk judges one push at its two moments and says what became of it.
#pragma once

#include <string>
#include <vector>

#include "git/serve.h"
#include "services/repository/service.h"

namespace headrace::repository {

class PushDesk final : public git::Gatekeeper {
 public:
  PushDesk(Repositories::Impl& service, Repo repository, core::Actor actor)
      : service_(service), repository_(std::move(repository)), actor_(std::move(actor)) {}

  core::Task<core::Result<>> accept(Push push, git::Say say) override;
  core::Task<> received(std::vector<git::RefChange> applied, git::Say say) override;

  bool open() const { return !push_.empty() && !settled_; }  // accepted, and the outcome is not on the log

 private:
  core::Task<core::Result<>> check_files(std::string quarantine);
  core::Task<core::Result<>> settle(std::vector<git::RefChange> applied);

  Repositories::Impl& service_;
  Repo repository_;
  core::Actor actor_;
  std::string push_;  // id, once it is accepted
  std::vector<git::RefChange> changes_;
  bool settled_ = false;
};

}  // namespace headrace::repository
