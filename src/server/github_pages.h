// Lists of GitHub's API come in pages, by number. GitHub Docs, "Using pagination in the REST API".
#pragma once

#include <algorithm>
#include <vector>

#include "core/json.h"
#include "server/platform.h"
#include "server/router.h"

namespace headrace::server {

inline constexpr size_t github_page_max = 100;
inline const QueryParameter github_page_parameter{"page", "from 1", "integer"};
inline const QueryParameter github_per_page_parameter{"per_page", "1 to 100; 30 where absent", "integer"};

struct GithubPage {
  size_t number = 1;
  size_t size = 30;
  size_t skip() const { return (number - 1) * size; }
};

core::Result<GithubPage> github_page_of(const Call& call, size_t otherwise = 30);  // invalid: one is no such number
// With a Link header to the pages around it.
net::Response github_page_answer(const Platform& platform, const Call& call, const core::json::value& value,
                                 GithubPage page, size_t total);

template <class T>
std::vector<T> cut(std::vector<T> all, GithubPage page) {
  if (page.skip() >= all.size()) return {};
  all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(page.skip()));
  if (all.size() > page.size) all.resize(page.size);
  return all;
}

}  // namespace headrace::server
