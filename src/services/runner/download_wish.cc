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

namespace {

// The releases of actions/download-artifact before v5, all of them, by the commits that careful people pin.
constexpr std::string_view old_commits[] = {
    "18f0f591fbc635562c815484d73b6e8e3980482e",  // v1.0.0
    "1de1dea89c32dcb1f37183c96fe85cfe067b682a",  // v2.0
    "1ac47ba4b6af92e65d0438b64ce1ea49ce1cc48d",  // v2.0.1
    "381af06b4268a1e0ad7b7c7e5a09f1894977120f",  // v2.0.2
    "80d2d4023c185001eacb50e37afd7dd667ba8044",  // v2.0.3
    "b3cedea9bed36890c824f4065163b667eeca272b",  // v2.0.4
    "c3f5d00c8784369c43779f3d2611769594a61f7a",  // v2.0.5
    "f8e41fbffeebb48c0273438d220bb2387727471f",  // v2.0.6
    "f144d3c3916a86f4d6b11ff379d17a49d8f85dbc",  // v2.0.7
    "4a7a711286f30c025902c28b541c10e147a9b843",  // v2.0.8
    "158ca71f7c614ae705e79f25522ef4658df18253",  // v2.0.9
    "3be87be14a055c47b01d3bd88f8fe02320a9bb60",  // v2.0.10
    "f023be2c48cc18debc3bacd34cb396e0295e2869",  // v2.1.0
    "cbed621e49e4c01b044d60f6c80ea4ed6328b281",  // v2.1.1
    "fb598a63ae348fa914e94cd0ff38f362e927b741",  // v3.0.0
    "9782bd6a9848b53b110e712e20e42d89988822b7",  // v3.0.1
    "9bc31d5ccc31df68ecc42ccf4149144866c47d8a",  // v3.0.2
    "a9bc5e6ef2cb54c177f32aa5726adaa15e7e2d59",  // v3.1.0
    "ad191675b41f6a5b46da9a048cb6893812da158b",  // v3.1.0-node20
    "7a1cd3216ca9260cd8022db641d960b1db4d1be4",  // v4.0.0
    "f44cd7b40bfd40b6aa1cc1b9b5b7bf03d3c67110",  // v4.1.0
    "6b208ae046db98c579e8a3aa621ab581ff575935",  // v4.1.1
    "eaceaf801fd36c7dee90939fad912460b18a1ffe",  // v4.1.2
    "87c55149d96e628cc2ef7e6fc2aab372015aec85",  // v4.1.3
    "c850b930e6ba138125429b7e5c93fc707a7f8427",  // v4.1.4
    "8caf195ad4b1dee92908e23f56eeb0696f1dd42d",  // v4.1.5
    "9c19ed7fe5d278cd354c7dfd5d3b88589c7e2395",  // v4.1.6
    "65a9edc5881444af0b9093a5e628f2fe47ea3b2e",  // v4.1.7
    "fa0a91b85d4f404e444e00e005971372dc801d16",  // v4.1.8
    "cc203385981b70ca67e1cc392babf9cc229d5806",  // v4.1.9
    "b14cf4c92620c250e1c074ab0a5800e37df86765",  // v4.2.0
    "95815c38cf2ff2164869cbab79da8d1f422bc89e",  // v4.2.1
    "d3f86a106a0bac45b974a628896c90dbdf5c8093",  // v4.3.0
    "246d7188e736d3686f6d19628d253ede9697bd55",  // v3-node20
};

bool is_commit(std::string_view ref) {
  return ref.size() == 40 && ref.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

}  // namespace

bool folder_for_one(std::string_view uses) {
  size_t at = uses.find('@');
  if (at == std::string_view::npos) return false;
  auto ref = uses.substr(at + 1);
  if (is_commit(ref))
    return std::ranges::any_of(old_commits, [&](auto one) { return workflow::equal_in_any_case(one, ref); });
  if (!ref.starts_with('v')) return false;
  int major = 0;
  const char* past = ref.data() + ref.size();
  auto [end, error] = std::from_chars(ref.data() + 1, past, major);
  bool whole = end == past || *end == '.' || *end == '-';
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
