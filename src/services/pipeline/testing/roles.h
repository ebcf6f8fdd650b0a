// Rights in memory for tests: who may read and start what; everybody everything where nothing was forbidden.
#pragma once

#include <set>
#include <string>

#include "services/pipeline/rights.h"

namespace headrace::pipeline::testing {

class Roles final : public Rights {
 public:
  void forbid(const std::string& account, const std::string& repository) {
    forbidden_.insert(account + " " + repository);
  }

  core::Result<> may_read(const core::Actor& actor, const std::string& repository) const override {
    return answer(actor, "read", repository);
  }
  core::Result<> may_start(const core::Actor& actor, const std::string& repository) const override {
    return answer(actor, "start runs of", repository);
  }

 private:
  core::Result<> answer(const core::Actor& actor, const std::string& doing, const std::string& repository) const {
    if (!forbidden_.contains(actor.name + " " + repository)) return {};
    return core::fail(core::Code::denied, actor.name + " may not " + doing + " " + repository + ".");
  }
  std::set<std::string> forbidden_;
};

}  // namespace headrace::pipeline::testing
