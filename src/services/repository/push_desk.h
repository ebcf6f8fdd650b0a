// PushDesk judges one push at its two moments and says what became of it.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "git/serve.h"
#include "services/repository/service.h"

namespace headrace::repository {

// The changes of one push as they are told: each part fits an event and what follows from it an append.
std::vector<std::vector<git::RefChange>> in_parts(std::vector<git::RefChange> changes);

class PushDesk final : public git::Gatekeeper {
 public:
  PushDesk(Repositories::Impl& service, Repo repository, core::Actor actor)
      : service_(service), repository_(std::move(repository)), actor_(std::move(actor)) {}

  core::Task<core::Result<>> accept(Push push, git::Say say) override;
  core::Task<> received(Received received, git::Say say) override;

  bool open() const { return !parts_.empty() && !settled_; }  // accepted, and the outcome is not on the log

 private:
  core::Task<core::Result<>> check_files(std::string quarantine);
  // One of the pushes that it is told as.
  struct Part {
    std::string push;  // id
    std::vector<git::RefChange> changes;
  };
  core::Task<core::Result<>> settle(Part part, std::set<std::string> applied, bool durable);
  core::Task<> tell_of_workflows(std::set<std::string> applied, git::Say say);

  Repositories::Impl& service_;
  Repo repository_;
  core::Actor actor_;
  std::vector<Part> parts_;  // once it is accepted
  bool settled_ = false;
};

}  // namespace headrace::repository
