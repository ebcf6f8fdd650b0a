// A projection for tests whose events carry what to do: the data is SQL, run as it is. Types other than "script" are
// not heard unless asked for. Data "!invalid", "!unavailable", "!throw" fails that way.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "store/projection.h"

namespace headrace::store::testing {

inline constexpr auto script_type = "script";

class ScriptProjection final : public Projection {
 public:
  ScriptProjection(std::string name, std::string schema, int version = 1)
      : name_(std::move(name)), schema_(std::move(schema)), version_(version) {}

  std::string name() const override { return name_; }
  int version() const override { return version_; }
  std::string schema() const override { return schema_; }
  std::vector<std::string> types() const override { return types_; }
  core::Result<> apply(sqlite::Connection& tables, const log::Stored& stored) override;

  ScriptProjection& hears(std::vector<std::string> types) {
    types_ = std::move(types);
    return *this;
  }
  // What a later start would mend: failures asked for are taken as nothing to do.
  void mend() { mended_ = true; }

 private:
  std::string name_, schema_;
  int version_;
  std::vector<std::string> types_{script_type};
  std::atomic<bool> mended_{false};
};

// Every row of the query as text, "NULL" and quotes told apart: for comparing.
core::Result<std::vector<std::string>> rows_of(sqlite::Connection& tables, std::string query);

}  // namespace headrace::store::testing
