#include "filter/dialect.h"

#include <algorithm>
#include <charconv>

#include "core/json.h"

namespace headrace::filter {
namespace {

using core::json::value;
using Kind = Clause::Kind;

constexpr std::pair<std::string_view, Kind> dialects[] = {
    {"exact", Kind::exact}, {"prefix", Kind::prefix}, {"suffix", Kind::suffix}, {"all", Kind::all},
    {"any", Kind::any},     {"not", Kind::none},      {"sql", Kind::sql}};

std::unexpected<core::Error> wrong(const std::string& place, std::string_view reason) {
  std::string where = place.empty() ? "The filter" : "The filter at " + place;
  return core::fail(core::Code::invalid, where + " " + std::string(reason));
}

bool is_attribute_name(std::string_view name) {
  return !name.empty() &&
         std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

class Reader {
 public:
  core::Result<Clause> top(const value& filters) {
    if (!filters.is_array()) return clause(filters, "");
    Clause all;
    if (auto read = elements(filters.get_array(), "", all); !read) return std::unexpected(read.error());
    return all;
  }

 private:
  core::Result<Clause> clause(const value& filter, const std::string& place) {
    if (++count_ > clauses_max) return wrong(place, "is one dialect too many; at most 1000 stand in one filter.");
    if (++depth_ > depth_max) return wrong(place, "is nested deeper than 100 levels; flatten it.");
    auto read = dialect(filter, place);
    --depth_;
    return read;
  }

  core::Result<Clause> dialect(const value& filter, const std::string& place) {
    if (!filter.is_object() || filter.get_object().size() != 1) {
      return wrong(place, "must be an object with one dialect as its key, such as {\"exact\": {\"type\": \"...\"}}.");
    }
    const auto& [key, content] = *filter.get_object().begin();
    std::string name(key);
    const auto* known = std::ranges::find(dialects, std::string_view(name), &std::pair<std::string_view, Kind>::first);
    if (known == std::end(dialects)) {
      return wrong(place, "has the dialect '" + name + "'; there are exact, prefix, suffix, all, any, not and sql.");
    }
    return read_kind(known->second, content, place + "/" + name);
  }

  core::Result<Clause> read_kind(Kind kind, const value& content, const std::string& place) {
    switch (kind) {
      case Kind::exact:
      case Kind::prefix:
      case Kind::suffix: return attributes(kind, content, place);
      case Kind::all:
      case Kind::any: return list(kind, content, place);
      case Kind::none: return negation(content, place);
      case Kind::sql: return sql(content, place);
    }
    return wrong(place, "has no meaning.");
  }

  static core::Result<Clause> attributes(Kind kind, const value& content, const std::string& place) {
    if (!content.is_object() || content.get_object().empty()) {
      return wrong(place, "must be an object of attribute names and texts, with at least one.");
    }
    Clause clause{.kind = kind};
    for (const auto& [key, text] : content.get_object()) {
      std::string name(key);
      if (!is_attribute_name(name)) {
        return wrong(place, "names the attribute '" + name + "'; names are of a-z and 0-9, at least one of them.");
      }
      if (!text.is_string() || text.get_string().empty()) {
        return wrong(place + "/" + name, "must be a text that is not empty.");
      }
      clause.attributes.emplace_back(attribute_name(name), std::string(text.get_string()));
    }
    return clause;
  }

  core::Result<Clause> list(Kind kind, const value& content, const std::string& place) {
    if (!content.is_array() || content.get_array().empty()) {
      return wrong(place, "must be an array of filters, with at least one.");
    }
    Clause clause{.kind = kind};
    if (auto read = elements(content.get_array(), place, clause); !read) return std::unexpected(read.error());
    return clause;
  }

  core::Result<> elements(const core::json::array& filters, const std::string& place, Clause& into) {
    for (size_t i = 0; i < filters.size(); ++i) {
      auto read = clause(filters[i], place + "/" + std::to_string(i));
      if (!read) return std::unexpected(read.error());
      into.clauses.push_back(std::move(*read));
    }
    return {};
  }

  core::Result<Clause> negation(const value& content, const std::string& place) {
    auto read = clause(content, place);
    if (!read) return read;
    Clause negated{.kind = Kind::none};
    negated.clauses.push_back(std::move(*read));
    return negated;
  }

  static core::Result<Clause> sql(const value& content, const std::string& place) {
    if (!content.is_string()) return wrong(place, "must be a text, a CloudEvents SQL expression.");
    auto node = parse(std::string_view(content.get_string()));
    if (!node) return std::unexpected(parse_failure(node.error(), place));
    fold(*node);
    Clause read{.kind = Kind::sql};
    read.sql = std::move(*node);
    return read;
  }

  size_t count_ = 0;
  size_t depth_ = 0;
};

// Attributes that are no Strings compare by their canonical text (CloudEvents 1.0.2, "Type System").
std::string_view text_of(const View& attribute, char (&buffer)[16]) {
  if (const auto* text = std::get_if<std::string_view>(&attribute)) return *text;
  if (const bool* b = std::get_if<bool>(&attribute)) return *b ? "true" : "false";
  auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, *std::get_if<int32_t>(&attribute));
  return {buffer, end};
}

bool compare(Kind kind, std::string_view text, std::string_view wanted) {
  if (kind == Kind::exact) return text == wanted;
  return kind == Kind::prefix ? text.starts_with(wanted) : text.ends_with(wanted);
}

bool attributes_hold(const Clause& clause, const events::Event& event) {
  std::string time;
  for (const auto& [name, wanted] : clause.attributes) {
    Found found = find(event, name, {}, time);
    char buffer[16];
    if (!found.present || !compare(clause.kind, text_of(found.value, buffer), wanted)) return false;
  }
  return true;
}

}  // namespace

core::Result<Clause> read_clause(const value& filter) { return Reader().top(filter); }

core::Error parse_failure(const ParseError& error, std::string_view place) {
  std::string where = place.empty() ? "" : " at " + std::string(place);
  return {core::Code::invalid,
          "The expression" + where + " cannot be read at column " + std::to_string(error.position) + ": " +
              error.message + ".",
          {}};
}

bool holds(const Clause& clause, const events::Event& event) {
  auto inner = [&event](const Clause& c) { return holds(c, event); };
  switch (clause.kind) {
    case Kind::exact:
    case Kind::prefix:
    case Kind::suffix: return attributes_hold(clause, event);
    case Kind::all: return std::ranges::all_of(clause.clauses, inner);
    case Kind::any: return std::ranges::any_of(clause.clauses, inner);
    case Kind::none: return !inner(clause.clauses[0]);
    case Kind::sql: return is_true(*clause.sql, event);
  }
  return false;
}

Types types_of(const Clause& clause) {
  switch (clause.kind) {
    case Kind::exact:
      for (const auto& [name, wanted] : clause.attributes) {
        if (name.slot == AttributeName::Slot::type) return Types{{wanted}};
      }
      return std::nullopt;
    case Kind::all: {
      Types types;
      for (const Clause& inner : clause.clauses) types = types_of_both(types, types_of(inner));
      return types;
    }
    case Kind::any: {
      Types types = std::vector<std::string>{};
      for (const Clause& inner : clause.clauses) types = types_of_either(types, types_of(inner));
      return types;
    }
    case Kind::sql: return types_of(*clause.sql);
    default: return std::nullopt;
  }
}

void collect_problems(const Clause& clause, std::vector<Problem>& into) {
  if (clause.sql) collect_problems(*clause.sql, into);
  for (const Clause& inner : clause.clauses) collect_problems(inner, into);
}

}  // namespace headrace::filter
