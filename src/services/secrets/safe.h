// Safe is where the values of secrets lie. The server gives the vault as one; tests one that fails where they want.
// What put() and remove() did is on the disk when they return. No error holds a value. Any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/result.h"

namespace headrace::secrets {

class Safe {
 public:
  virtual ~Safe() = default;
  virtual core::Result<> put(const std::string& kind, const std::string& id, const std::string& value) = 0;  // replaces
  virtual core::Result<std::optional<std::string>> get(const std::string& kind, const std::string& id) = 0;
  virtual core::Result<> remove(const std::string& kind, const std::string& id) = 0;  // what is not there is no error
  virtual core::Result<std::vector<std::string>> ids(const std::string& kind) = 0;    // sorted
};

inline constexpr const char* secret_kind = "secret";  // id of the event that names it -> the value

}  // namespace headrace::secrets
