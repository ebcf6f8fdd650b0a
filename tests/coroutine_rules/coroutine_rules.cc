#include "coroutine_rules.h"

#include <algorithm>
#include <regex>
#include <string_view>

namespace headrace::coroutine_rules {

namespace {

// The same text, of the same length, with the insides of comments, strings and characters blanked out.
std::string bare(const std::string& source) {
  enum class In { code, line_comment, block_comment, text };
  std::string out = source;
  In in = In::code;
  char quote = 0;
  for (size_t i = 0; i < source.size(); ++i) {
    const std::string_view here(source.data() + i, std::min<size_t>(2, source.size() - i));
    if (in == In::code) {
      const bool digit_separator =
          source[i] == '\'' && i > 0 && std::isalnum(static_cast<unsigned char>(source[i - 1])) != 0;
      if (here == "//") in = In::line_comment;
      if (here == "/*") in = In::block_comment;
      if (here == "R\"") {  // a raw string ends with its delimiter
        const auto open = source.find('(', i);
        const auto close =
            open == std::string::npos ? open : source.find(")" + source.substr(i + 2, open - i - 2) + "\"", open);
        if (close == std::string::npos) return out;
        for (size_t at = i + 2; at <= close; ++at)
          if (out[at] != '\n') out[at] = ' ';
        i = source.find('"', close);
        continue;
      }
      if ((source[i] == '"' || source[i] == '\'') && !digit_separator) {
        in = In::text;
        quote = source[i];
        continue;
      }
    }
    if (in == In::code) continue;
    const bool ends = (in == In::line_comment && source[i] == '\n') || (in == In::text && source[i] == quote);
    if (in == In::text && source[i] == '\\' && i + 1 < source.size()) {
      out[i] = ' ';
      out[++i] = ' ';
      continue;
    }
    if (ends) {
      in = In::code;
      continue;
    }
    if (in == In::block_comment && here == "*/") {
      out[i] = ' ';
      out[++i] = ' ';
      in = In::code;
      continue;
    }
    if (source[i] != '\n') out[i] = ' ';
  }
  return out;
}

// From behind the last `;`, `{` or `}` to the next `;`, `{` or `}` outside of the parentheses that opened meanwhile.
std::string_view statement_around(std::string_view code, size_t position) {
  const auto before = code.find_last_of(";{}", position);
  const size_t begin = before == std::string_view::npos ? 0 : before + 1;
  int depth = 0;
  size_t end = begin;
  for (; end < code.size(); ++end) {
    const char c = code[end];
    if (c == '(') ++depth;
    if (c == ')') --depth;
    if (end > position && depth <= 0 && (c == ';' || c == '{' || c == '}')) break;
  }
  return code.substr(begin, end - begin);
}

int line_of(std::string_view code, size_t position) {
  return 1 + static_cast<int>(std::count(code.begin(), code.begin() + static_cast<std::ptrdiff_t>(position), '\n'));
}

bool captures_values(const std::string& list) {
  static const std::regex harmless(R"(\s*(&\w*|this)\s*)");
  for (size_t at = 0; at <= list.size();) {
    const auto comma = std::min(list.find(',', at), list.size());
    const auto one = list.substr(at, comma - at);
    if (one.find_first_not_of(" \n\t") != std::string::npos && !std::regex_match(one, harmless)) return true;
    at = comma + 1;
  }
  return false;
}

// `[captures](...)`, `[captures] {` or `[captures] mutable`, but no subscript.
const std::regex lambda(R"((?:^|[^\w\)\]\s])\s*\[([^\[\]]*(?:\[[^\]]*\][^\[\]]*)*)\]\s*(?:\(|\{|mutable))");

bool holds_lambda_with_values(const std::string& statement) {
  for (std::sregex_iterator found(statement.begin(), statement.end(), lambda), end; found != end; ++found)
    if (captures_values((*found)[1])) return true;
  return false;
}

// What a lambda does when it is called is no part of the statement that holds it.
std::string without_lambda_bodies(std::string statement) {
  for (std::smatch found; std::regex_search(statement, found, lambda);) {
    const auto open = statement.find('{', static_cast<size_t>(found.position() + found.length()) - 1);
    size_t close = std::min(open, statement.size());
    for (int depth = 0; close < statement.size(); ++close) {
      if (statement[close] == '{') ++depth;
      if (statement[close] == '}' && --depth == 0) break;
    }
    const auto begin = static_cast<size_t>(found.position(1)) - 1;
    statement.erase(begin, std::min(close + 1, statement.size()) - begin);
  }
  return statement;
}

// `Type{x}` and `({x})`; the empty ones too, as the members may have initialisers.
bool holds_braced_value(const std::string& statement) {
  static const std::regex braced(R"((?:\b[A-Z]\w*|\w>|[(,=]\s*)\{)");
  return std::regex_search(without_lambda_bodies(statement), braced);
}

// `a ? b : c` around or beside the co_await: numbers would do no harm, but text cannot tell what a branch is.
bool holds_choice(const std::string& statement) {
  return without_lambda_bodies(statement).find('?') != std::string::npos;
}

// `co_return a || co_await b`: b is awaited whatever a is.
bool returns_after_and_or(const std::string& statement) {
  const auto returns = statement.find("co_return");
  const auto awaits = statement.rfind("co_await");
  if (returns == std::string::npos || awaits == std::string::npos || awaits < returns) return false;
  const auto between = without_lambda_bodies(statement.substr(returns, awaits - returns));
  return between.find("||") != std::string::npos || between.find("&&") != std::string::npos;
}

void search_statements(const std::string& code, std::vector<Finding>& found) {
  static constexpr std::string_view word = "co_await";
  for (size_t at = code.find(word); at != std::string::npos; at = code.find(word, at + word.size())) {
    const std::string statement(statement_around(code, at));
    if (holds_lambda_with_values(statement))
      found.push_back({line_of(code, at),
                       "a lambda with captures within a co_await statement; name it before and std::move it in"});
    if (holds_braced_value(statement))
      found.push_back(
          {line_of(code, at), "a braced value within a co_await statement; name it before and std::move it in"});
    if (holds_choice(statement))
      found.push_back(
          {line_of(code, at), "a choice (?:) within a co_await statement; decide before, or use if and else"});
    if (returns_after_and_or(statement))
      found.push_back({line_of(code, at), "&& or || before co_await in a co_return; decide before, by an if"});
  }
}

void search_defaults(const std::string& code, std::vector<Finding>& found) {
  // Functions that give a Task, with a parameter whose type is one of ours (capital letter) and whose default is
  // braces.
  static const std::regex declaration(R"(\bTask<[^;{}]*?\([^;{}()]*\b[A-Z]\w*\s+\w+\s*=\s*(?:[A-Z]\w*)?\{)");
  for (std::sregex_iterator match(code.begin(), code.end(), declaration), end; match != end; ++match)
    found.push_back({line_of(code, static_cast<size_t>(match->position())),
                     "a default argument in braces of a function that is awaited; write `= Type()`"});
}

}  // namespace

std::vector<Finding> findings(const std::string& source) {
  const auto code = bare(source);
  std::vector<Finding> found;
  search_statements(code, found);
  search_defaults(code, found);
  return found;
}

}  // namespace headrace::coroutine_rules
