// What a subscription wants to hear: exact types first, then its filter. Compiled once; a cheap copy.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "events/event.h"
#include "filter/filter.h"

namespace headrace::bus {

class Matcher {
 public:
  // Types of the vocabulary stand for their older versions too. Code::invalid where `filter` is none.
  static core::Result<Matcher> make(const std::vector<std::string>& types, std::string_view filter);

  bool matches(const events::Event& event) const;
  // Sorted; nothing: any type may match.
  const std::optional<std::vector<std::string>>& types() const { return types_; }

 private:
  std::optional<std::vector<std::string>> types_;
  bool by_type_alone_ = true;
  filter::Filter filter_;
};

}  // namespace headrace::bus
