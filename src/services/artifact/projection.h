// Artifacts and caches as tables. An artifact that has expired stays, marked; one that somebody deleted does not.
#pragma once

#include <string>
#include <vector>

#include "store/projection.h"

namespace headrace::artifact {

class ShelfProjection final : public store::Projection {
 public:
  static constexpr std::string_view projection_name = "artifact";
  std::string name() const override { return std::string(projection_name); }
  int version() const override { return 1; }
  std::string schema() const override;
  std::vector<std::string> types() const override;
  core::Result<> apply(sqlite::Connection& tables, const log::Stored& stored) override;
};

}  // namespace headrace::artifact
