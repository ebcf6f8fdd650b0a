// The dialects of CloudEvents Subscriptions, 3.2.4.1, as a tree of clauses.
#pragma once

#include <boost/json/fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "filter/program.h"

namespace headrace::filter {

struct Clause {
  enum class Kind { exact, prefix, suffix, all, any, none, sql };  // none: not
  Kind kind = Kind::all;
  std::vector<std::pair<AttributeName, std::string>> attributes{};  // exact, prefix, suffix: all must hold
  std::vector<Clause> clauses{};                                    // all, any, not
  std::optional<Node> sql{};
};

// One dialect object, or an array of them of which all must hold.
core::Result<Clause> read_clause(const boost::json::value& value);
core::Error parse_failure(const ParseError& error, std::string_view place);

bool holds(const Clause& clause, const events::Event& event);
Types types_of(const Clause& clause);
void collect_problems(const Clause& clause, std::vector<Problem>& into);

}  // namespace headrace::filter
