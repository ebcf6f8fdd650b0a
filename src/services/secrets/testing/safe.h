// A Safe in memory that fails, or ends the process's life, where a test wants it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "services/secrets/safe.h"

namespace headrace::secrets::testing {

class MemorySafe final : public Safe {
 public:
  core::Result<> put(const std::string& kind, const std::string& id, const std::string& value) override {
    if (auto step = take_step(); !step) return step;
    values[{kind, id}] = value;
    return {};
  }
  core::Result<std::optional<std::string>> get(const std::string& kind, const std::string& id) override {
    auto found = values.find({kind, id});
    return found == values.end() ? std::optional<std::string>() : found->second;
  }
  core::Result<> remove(const std::string& kind, const std::string& id) override {
    if (auto step = take_step(); !step) return step;
    values.erase({kind, id});
    return {};
  }
  core::Result<std::vector<std::string>> ids(const std::string& kind) override {
    std::vector<std::string> list;
    for (const auto& [key, value] : values)
      if (key.first == kind) list.push_back(key.second);
    return list;
  }

  // What changes something and is done before the disk is gone; nothing: it stays.
  std::optional<size_t> steps_left;
  std::map<std::pair<std::string, std::string>, std::string> values;

 private:
  core::Result<> take_step() {
    if (!steps_left) return {};
    if (*steps_left == 0) return core::fail(core::Code::unavailable, "The disk is gone.");
    --*steps_left;
    return {};
  }
};

}  // namespace headrace::secrets::testing
