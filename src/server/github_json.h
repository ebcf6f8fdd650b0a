// Objects of GitHub's REST API (version 2022-11-28) that turn up within others: accounts, repositories, commits, the
// issuer of checks. What GitHub has and Headrace has not is empty, null or 0 there, so that clients that were made for
// GitHub read them. Pure.
#pragma once

#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/json.h"
#include "git/repository.h"
#include "services/repository/projection.h"

namespace headrace::server {

// A number that stands for a name where GitHub has an id: the same name, the same number, at most 48 bits.
int64_t number_for(std::string_view kind, std::string_view name);
std::string github_time(core::Time time);  // in whole seconds, which clients rely on
std::string node_id(std::string_view kind, int64_t id);

class GithubUrls {
 public:
  explicit GithubUrls(std::string public_url) : web_(std::move(public_url)), api_(web_ + "/api/v3") {}
  const std::string& web() const { return web_; }
  const std::string& api() const { return api_; }
  std::string repository(const std::string& full_name) const { return api_ + "/repos/" + full_name; }

 private:
  std::string web_, api_;
};

core::json::object github_user(const GithubUrls& urls, const std::string& login);            // simple-user
core::json::object github_repository(const GithubUrls& urls, const repository::Repo& repo);  // minimal-
core::json::object github_commit(const git::Commit& commit);                                 // simple-commit
core::json::object github_issuer(const GithubUrls& urls);                                    // integration

}  // namespace headrace::server
