#include "bus/matcher.h"

#include <algorithm>
#include <iterator>

#include "events/vocabulary.h"

namespace headrace::bus {

namespace {

core::Result<filter::Filter> compile(std::string_view text) {
  if (text.empty()) return filter::Filter();
  const bool json = text.front() == '[' || text.front() == '{';
  auto compiled = json ? filter::compile_json(text) : filter::compile(text);
  if (compiled && !compiled->problems().empty())
    return core::fail(core::Code::invalid, "The filter cannot be used: " + compiled->problems().front().message);
  return compiled;
}

std::vector<std::string> with_older_names(const std::vector<std::string>& types) {
  std::vector<std::string> names = types;
  for (const auto& type : types) {
    if (events::find_word(type) == nullptr) continue;
    for (auto& name : events::all_types(events::todays_type(type))) names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  return names;
}

std::vector<std::string> both(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  std::vector<std::string> common;
  std::ranges::set_intersection(a, b, std::back_inserter(common));
  return common;
}

}  // namespace

core::Result<Matcher> Matcher::make(const std::vector<std::string>& types, std::string_view filter) {
  auto compiled = compile(filter);
  if (!compiled) return std::unexpected(compiled.error());
  Matcher matcher;
  matcher.by_type_alone_ = filter.empty();
  if (!types.empty()) matcher.types_ = with_older_names(types);
  if (auto of_filter = compiled->types())
    matcher.types_ = matcher.types_ ? both(*matcher.types_, *of_filter) : std::move(*of_filter);
  matcher.filter_ = std::move(*compiled);
  return matcher;
}

bool Matcher::matches(const events::Event& event) const {
  if (types_ && !std::ranges::binary_search(*types_, event.type)) return false;
  return by_type_alone_ || filter_.matches(event);
}

}  // namespace headrace::bus
