#include "cli/run_name.h"

#include "cli/ask.h"
#include "core/id.h"

namespace headrace::cli {

using core::Code;
using core::Result;
namespace json = core::json;

static bool all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

Result<RunName> parse_run_name(std::string_view text) {
  RunName name;
  if (core::is_uuid(text)) {
    name.uuid = text;
    return name;
  }
  auto sign = text.find('#');
  name.may_be_id = sign == std::string_view::npos;
  name.digits = name.may_be_id ? text : text.substr(sign + 1);
  if (!name.may_be_id) name.repository = text.substr(0, sign);
  const bool one_slash = name.repository.find('/') != std::string::npos &&
                         name.repository.find('/') == name.repository.rfind('/') && !name.repository.starts_with('/') &&
                         !name.repository.ends_with('/');
  if (all_digits(name.digits) && (name.repository.empty() || one_slash)) return name;
  return core::fail(Code::invalid, "'" + std::string(text.substr(0, 200)) +
                                       "' names no run: write its id (the first column of run list), its number as #7, "
                                       "or OWNER/NAME#7.");
}

Result<std::string> run_with_number(const json::value& runs, const std::string& number_asked,
                                    const std::string& repository) {
  const auto& list = runs.as_array();
  if (list.size() == 1) return number(list.front(), "id");
  if (list.empty())
    return core::fail(Code::not_found, repository + " has no run #" + number_asked + ", and none with the id " +
                                           number_asked + "; run list shows those there are.");
  constexpr size_t named_max = 8;
  std::string all;
  size_t named = 0;
  for (const auto& run : list)
    if (named++ < named_max)
      all += (all.empty() ? "" : ", ") + words(run, "workflow") + " (id " + number(run, "id") + ")";
  if (named > named_max) all += ", and " + std::to_string(named - named_max) + " more";
  return core::fail(Code::conflict, repository + " has several runs #" + number_asked +
                                        ", for each workflow counts its own: " + all + ". Give the id.");
}

std::string words_of_run(const json::value& run) {
  return words(run, "workflow") + " #" + number(run, "number") + " of " + words(run, "repository") + " (id " +
         number(run, "id") + ")";
}

}  // namespace headrace::cli
