#include "services/runner/native_actions.h"

#include <algorithm>

namespace headrace::runner {

using core::Code;
using core::Result;

std::unique_ptr<Action> make_native(const ActionName& name) {
  auto is = [&](std::string_view repository, std::string_view path) {
    return workflow::equal_in_any_case(name.repository(), repository) && name.path == path;
  };
  if (is("actions/upload-artifact", "")) return make_upload_artifact();
  if (is("actions/download-artifact", "")) return make_download_artifact();
  if (is("actions/cache", "")) return make_cache(CacheRole::both);
  if (is("actions/cache", "save")) return make_cache(CacheRole::save);
  if (is("actions/cache", "restore")) return make_cache(CacheRole::restore);
  return nullptr;
}

namespace {

std::string trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  auto first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(blank) - first + 1));
}

}  // namespace

std::string input_of(const StepRun& step, std::string_view name, std::string_view fallback) {
  for (const auto& [key, value] : step.with())
    if (workflow::equal_in_any_case(key, name))
      if (auto text = trimmed(value); !text.empty()) return text;
  return std::string(fallback);
}

Result<bool> truth_of(const StepRun& step, std::string_view name, bool fallback) {
  std::string text = input_of(step, name, fallback ? "true" : "false");
  for (std::string_view yes : {"true", "True", "TRUE"})
    if (text == yes) return true;
  for (std::string_view no : {"false", "False", "FALSE"})
    if (text == no) return false;
  return core::fail(Code::invalid, "Input does not meet YAML 1.2 \"Core Schema\" specification: " + std::string(name) +
                                       "\nSupport boolean input list: `true | True | TRUE | false | False | FALSE`");
}

std::vector<std::string> lines_of(const StepRun& step, std::string_view name) {
  std::vector<std::string> lines;
  std::string text = input_of(step, name);
  for (std::string_view rest = text; !rest.empty();) {
    auto end = rest.find('\n');
    if (auto line = trimmed(rest.substr(0, end)); !line.empty()) lines.push_back(std::move(line));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return lines;
}

void check_inputs(StepRun& step, std::initializer_list<std::string_view> known) {
  std::string strange, list;
  for (auto name : known) list += (list.empty() ? "'" : ", '") + std::string(name) + "'";
  for (const auto& [name, value] : step.with())
    if (std::ranges::none_of(known, [&](auto one) { return workflow::equal_in_any_case(one, name); }))
      strange += (strange.empty() ? "'" : ", '") + name + "'";
  if (!strange.empty()) step.warning("Unexpected input(s) " + strange + ", valid inputs are [" + list + "]");
}

std::string shown_size(uint64_t bytes) {
  return "~" + std::to_string((bytes + (1U << 19)) >> 20) + " MB (" + std::to_string(bytes) + " B)";
}

}  // namespace headrace::runner
