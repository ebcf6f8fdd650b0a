#include "server/github_pages.h"

#include "net/url.h"
#include "server/answers.h"
#include "server/request.h"

namespace headrace::server {

using core::Result;
namespace json = core::json;

static std::string link_to(const Platform& platform, const net::Request& request, size_t number,
                           std::string_view relation) {
  std::string url = platform.public_url + request.path + "?";
  for (const auto& [name, value] : request.query)
    if (name != "page") url += net::percent_encode(name) + "=" + net::percent_encode(value) + "&";
  return "<" + url + "page=" + std::to_string(number) + ">; rel=\"" + std::string(relation) + "\"";
}

Result<GithubPage> github_page_of(const Call& call, size_t otherwise) {
  auto number = number_in(call, "page", 1, INT32_MAX, 1);
  if (!number) return std::unexpected(number.error());
  auto size = number_in(call, "per_page", 1, INT32_MAX, otherwise);
  if (!size) return std::unexpected(size.error());
  return GithubPage{*number, std::min<size_t>(*size, github_page_max)};
}

net::Response github_page_answer(const Platform& platform, const Call& call, const json::value& value, GithubPage page,
                                 size_t total) {
  auto response = json_answer(value);
  const size_t last = std::max<size_t>(1, (total + page.size - 1) / page.size);
  std::string links;
  auto add = [&](size_t number, std::string_view relation) {
    links += (links.empty() ? "" : ", ") + link_to(platform, call.request(), number, relation);
  };
  if (page.number > 1) add(std::min(page.number - 1, last), "prev");
  if (page.number < last) add(page.number + 1, "next");
  if (page.number < last) add(last, "last");
  if (page.number > 1) add(1, "first");
  if (!links.empty()) response.headers.set("Link", links);
  return response;
}

}  // namespace headrace::server
