#include "services/repository/ref_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "git/names.h"
#include "services/repository/repository.h"

namespace headrace::repository {
namespace {

constexpr std::array<std::string_view, 3> open_to_pushes = {"refs/heads/", "refs/tags/", "refs/notes/"};

}  // namespace

core::Result<> check_changes(const std::vector<git::RefChange>& changes) {
  if (changes.size() > refs_a_push_max)
    return core::fail(core::Code::exhausted,
                      fmt::format("This push moves {} refs; one push moves at most {}. Push them in parts.",
                                  changes.size(), refs_a_push_max));
  for (const auto& change : changes) {
    const auto may = [&change](std::string_view prefix) { return change.ref.starts_with(prefix); };
    if (std::ranges::none_of(open_to_pushes, may))
      return core::fail(core::Code::denied,
                        fmt::format("{} cannot be pushed: only branches (refs/heads/), tags (refs/tags/) and notes "
                                    "(refs/notes/) can. Push to a branch instead.",
                                    change.ref));
    if (change.ref == "refs/heads/HEAD")
      return core::fail(core::Code::denied, "A branch cannot be named HEAD. Push it under another name.");
  }
  return {};
}

}  // namespace headrace::repository
