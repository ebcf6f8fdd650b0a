#include "services/runner/download_wish.h"

#include <algorithm>
#include <charconv>
#include <functional>

#include "services/runner/job_context.h"
#include "services/runner/native_actions.h"
#include "services/runner/step_hash_files.h"

namespace headrace::runner {

using core::Code;
using core::Result;
namespace json = core::json;

std::optional<int64_t> artifact_id_of(std::string_view text) {
  int64_t id = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return id;
}

bool folder_for_one(std::string_view uses) {
  size_t at = uses.find("@v");
  if (at == std::string_view::npos) return false;
  int major = 0;
  auto [end, error] = std::from_chars(uses.data() + at + 2, uses.data() + uses.size(), major);
  bool whole = end == uses.data() + uses.size() || *end == '.';
  return error == std::errc() && whole && major < 5;
}

namespace {

Result<> read_ids(const std::string& text, std::vector<int64_t>& ids) {
  for (std::string_view rest = text; !rest.empty();) {
    auto comma = rest.find(',');
    auto part = rest.substr(0, comma);
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    if (part.empty()) continue;
    auto id = artifact_id_of(part);
    if (!id) return core::fail(Code::invalid, "Invalid artifact ID: '" + std::string(part) + "'. Must be a number.");
    ids.push_back(*id);
  }
  if (ids.empty()) return core::fail(Code::invalid, "No valid artifact IDs provided in 'artifact-ids' input");
  return {};
}

ListedArtifact listed_of(const json::value& from) {
  ListedArtifact one;
  one.id = core::integer_at(from, "id")
               .value_or(artifact_id_of(core::string_at(from, "database_id").value_or("")).value_or(0));
  one.name = core::string_at(from, "name").value_or("");
  one.digest = core::string_at(from, "digest").value_or("");
  one.size = core::integer_at(from, "size_in_bytes")
                 .value_or(artifact_id_of(core::string_at(from, "size").value_or("")).value_or(0));
  return one;
}

}  // namespace

Result<ArtifactWish> artifact_wish_of(const StepRun& step) {
  const auto& job = step.engine().job();
  ArtifactWish wish;
  wish.name = input_of(step, "name");
  wish.pattern = input_of(step, "pattern");
  wish.path = input_of(step, "path");
  wish.token = input_of(step, "github-token");
  wish.repository = input_of(step, "repository", job.github("repository"));
  wish.run_id = input_of(step, "run-id", job.github("run_id"));
  wish.on_mismatch = input_of(step, "digest-mismatch", "error");
  if (std::string ids = input_of(step, "artifact-ids"); !ids.empty()) {
    if (!wish.name.empty())
      return core::fail(Code::invalid,
                        "Inputs 'name' and 'artifact-ids' cannot be used together. Please specify only one.");
    if (auto read = read_ids(ids, wish.ids); !read) return std::unexpected(read.error());
  }
  auto merge = truth_of(step, "merge-multiple", false);
  auto as_it_is = truth_of(step, "skip-decompress", false);
  if (!merge || !as_it_is) return std::unexpected(merge ? as_it_is.error() : merge.error());
  wish.merge = *merge;
  wish.as_it_is = *as_it_is;
  wish.folder_for_one = folder_for_one(step.spec().uses);
  for (std::string_view one : {"ignore", "info", "warn", "error"})
    if (wish.on_mismatch == one) return wish;
  return core::fail(Code::invalid, "Invalid value for 'digest-mismatch': '" + wish.on_mismatch +
                                       "'. Valid options are: ignore, info, warn, error");
}

Result<std::vector<ListedArtifact>> read_artifact_list(Result<json::value> answer) {
  if (!answer) return std::unexpected(answer.error());
  std::vector<ListedArtifact> all;
  const auto* list = core::find(*answer, "artifacts");
  if (list == nullptr || !list->is_array()) return all;
  for (const auto& one : list->get_array())
    if (!core::boolean_at(one, "expired").value_or(false)) all.push_back(listed_of(one));
  return all;
}

Result<std::vector<ListedArtifact>> choose_artifacts(StepRun& step, const ArtifactWish& wish,
                                                     std::vector<ListedArtifact> all) {
  std::ranges::stable_sort(all, std::greater(), &ListedArtifact::id);
  std::vector<ListedArtifact> chosen;
  for (auto& one : all) {
    bool wanted = !wish.name.empty()  ? one.name == wish.name
                  : !wish.ids.empty() ? std::ranges::find(wish.ids, one.id) != wish.ids.end()
                                      : wish.pattern.empty() || glob_matches(wish.pattern, one.name);
    bool newest = wish.ids.empty() ? std::ranges::find(chosen, one.name, &ListedArtifact::name) == chosen.end() : true;
    if (wanted && newest) chosen.push_back(std::move(one));
  }
  if (!wish.name.empty() && chosen.empty())
    return core::fail(Code::not_found, "Artifact not found for name: " + wish.name +
                                           "\nPlease ensure that your artifact is not expired and that its job has "
                                           "run before this one (needs).");
  if (!wish.ids.empty() && chosen.empty())
    return core::fail(Code::not_found, "None of the provided artifact IDs were found");
  if (chosen.size() < wish.ids.size()) step.warning("Could not find all of the provided artifact IDs.");
  if (wish.name.empty() && wish.ids.empty())
    step.line(wish.pattern.empty() ? "No input name, artifact-ids or pattern filtered specified, downloading all "
                                     "artifacts"
                                   : "Filtering artifacts by pattern '" + wish.pattern + "'");
  return chosen;
}

}  // namespace headrace::runner
