// The vault as the place where the values of secrets lie.
#pragma once

#include "services/identity/vault.h"
#include "services/secrets/safe.h"

namespace headrace::server {

class VaultSafe final : public secrets::Safe {
 public:
  explicit VaultSafe(identity::Vault& vault) : vault_(vault) {}  // outlives this

  core::Result<> put(const std::string& kind, const std::string& id, const std::string& value) override {
    return vault_.put(kind, id, value);
  }
  core::Result<std::optional<std::string>> get(const std::string& kind, const std::string& id) override {
    return vault_.get(kind, id);
  }
  core::Result<> remove(const std::string& kind, const std::string& id) override { return vault_.remove(kind, id); }
  core::Result<std::vector<std::string>> ids(const std::string& kind) override { return vault_.ids(kind); }

 private:
  identity::Vault& vault_;
};

}  // namespace headrace::server
