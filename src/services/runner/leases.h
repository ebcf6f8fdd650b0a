// Leases in force: until when each is good. The log knows who holds one, only time knows whether it still counts.
#pragma once

#include <map>
#include <vector>

#include "core/clock.h"
#include "services/runner/protocol.h"

namespace headrace::runner {

class Leases {
 public:
  Leases(const core::Clock& clock, core::Duration length) : clock_(clock), length_(length) {}

  void hold(Token token) { until_[token] = clock_.steady() + length_; }  // begins, or is renewed
  bool renew(Token token) {
    if (!until_.contains(token)) return false;
    hold(token);
    return true;
  }
  void end(Token token) { until_.erase(token); }
  bool held(Token token) const { return until_.contains(token); }
  size_t size() const { return until_.size(); }

  std::vector<Token> expired() const {
    std::vector<Token> tokens;
    for (const auto& [token, until] : until_)
      if (until <= clock_.steady()) tokens.push_back(token);
    return tokens;
  }

 private:
  const core::Clock& clock_;
  core::Duration length_;
  std::map<Token, core::Steady> until_;
};

}  // namespace headrace::runner
