#include "workflow/reader.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace headrace::workflow {
namespace {

constexpr int64_t minutes_max = 35 * 24 * 60;  // longest run GitHub knows
constexpr size_t shown_expression_max = 80;
constexpr std::array<std::string_view, 3> shells{"bash", "sh", "python"};

std::string shortened(std::string_view text) {
  if (text.size() <= shown_expression_max) return std::string(text);
  size_t end = shown_expression_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return std::string(text.substr(0, end)) + "...";
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view spaces = " \t\r\n";
  size_t from = text.find_first_not_of(spaces);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(spaces) - from + 1);
}

std::string without_spaces_lower(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') continue;
    out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c);
  }
  return out;
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

void Reader::error(Position at, std::string message) {
  if (errors.size() < findings_max) errors.push_back({at, std::move(message)});
}

void Reader::unsupported(Position at, std::string feature) {
  Unsupported entry{at, std::move(feature), for_event};
  bool told = std::ranges::find(lacking, entry) != lacking.end();  // an alias brings the same place again
  if (!told && lacking.size() < findings_max) lacking.push_back(std::move(entry));
}

bool Reader::expect(const Node& node, Node::Kind kind) {
  if (node.kind == kind) return true;
  std::string found = "Unexpected value '" + node.text + "'";
  if (node.kind == Node::Kind::null) found = "A value is missing";
  if (node.kind == Node::Kind::mapping) found = "A mapping was not expected";
  if (node.kind == Node::Kind::sequence) found = "A sequence was not expected";
  error(node.at, found + ". Here must stand " + std::string(name_of(kind)) + ".");
  return false;
}

std::optional<std::string> Reader::string(const Node& node, std::string_view what) {
  if (node.kind == Node::Kind::null) {
    error(node.at, std::string(what) + " is empty. Give it a value, or leave it out.");
    return std::nullopt;
  }
  if (!node.is_scalar()) {
    expect(node, Node::Kind::string);
    return std::nullopt;
  }
  return node.text;
}

std::optional<std::string> Reader::text(const Node& node, std::string_view what) {
  auto read = string(node, what);
  if (!read) return read;
  size_t open = read->find("${{");
  while (open != std::string::npos) {
    size_t close = read->find("}}", open);
    if (close == std::string::npos) {
      error(node.at, "The expression that begins with '${{' is not closed. Close it with '}}'.");
      break;
    }
    unsupported(node.at, "expression " + shortened(std::string_view(*read).substr(open, close + 2 - open)));
    open = read->find("${{", close);
  }
  return read;
}

bool Reader::boolean(const Node& node, std::string_view what) {
  if (node.kind == Node::Kind::string && node.text.contains("${{")) {
    text(node, what);
    return false;
  }
  return expect(node, Node::Kind::boolean) && node.is_true();
}

std::optional<int64_t> Reader::minutes(const Node& node, std::string_view what) {
  if (node.kind == Node::Kind::string && node.text.contains("${{")) {
    text(node, what);
    return std::nullopt;
  }
  if (!expect(node, Node::Kind::number)) return std::nullopt;
  if (!(node.number > 0)) {  // GitHub's reader takes any number
    unsupported(node.at, std::string(what) + " of " + node.text);
    return std::nullopt;
  }
  return static_cast<int64_t>(std::ceil(std::min(node.number, static_cast<double>(minutes_max))));
}

std::vector<Text> Reader::strings(const Node& node, std::string_view what) {
  std::vector<Text> read;
  if (node.kind != Node::Kind::sequence) {
    if (auto one = text(node, what)) read.push_back({*one, node.at});
    return read;
  }
  for (const Node& item : node.items) {
    if (auto one = text(item, what)) read.push_back({*one, item.at});
  }
  return read;
}

Variables Reader::variables(const Node& node, std::string_view what) {
  Variables read;
  if (node.kind == Node::Kind::null) return read;
  if (node.kind == Node::Kind::string && node.text.contains("${{")) {
    text(node, what);
    return read;
  }
  if (!expect(node, Node::Kind::mapping)) return read;
  for (const Pair& pair : node.pairs) {
    if (pair.key.text.empty() || pair.key.text.contains('=')) {
      error(pair.key.at, "'" + pair.key.text + "' is no name of a variable. Names are not empty and hold no '='.");
    } else if (pair.value.kind == Node::Kind::null) {
      read.emplace_back(pair.key.text, "");
    } else if (auto value = text(pair.value, what)) {
      read.emplace_back(pair.key.text, std::move(*value));
    }
  }
  return read;
}

// "jobs.<job_id>.if": the braces may be left out; an empty condition is success().
Condition Reader::condition(const Node& node, std::string& as_written) {
  if (!node.is_scalar()) {
    expect(node, Node::Kind::string);
    return Condition::success;
  }
  std::string_view expression = trimmed(node.text);
  bool braced = expression.starts_with("${{") && expression.ends_with("}}") && !expression.substr(3).contains("${{");
  if (braced) expression = trimmed(expression.substr(3, expression.size() - 5));
  as_written = expression;
  constexpr std::pair<std::string_view, Condition> known[] = {
      {"", Condition::success},          {"success()", Condition::success}, {"true", Condition::success},
      {"failure()", Condition::failure}, {"always()", Condition::always},   {"cancelled()", Condition::cancelled},
      {"false", Condition::never}};
  std::string lower = without_spaces_lower(expression);
  for (auto [text, condition] : known) {
    if (text == lower) return condition;
  }
  unsupported(node.at, "condition " + shortened(expression));
  return Condition::never;
}

std::string Reader::shell(const Node& node, std::string_view what) {
  auto read = text(node, what);
  if (!read || read->contains("${{")) return {};
  if (std::ranges::find(shells, *read) == shells.end()) unsupported(node.at, "shell '" + shortened(*read) + "'");
  return *read;
}

RunDefaults Reader::defaults(const Node& node, std::string_view what) {
  struct Outer {
    RunDefaults run;
  };
  static constexpr Property<RunDefaults> run[] = {
      {"shell", [](Reader& r, const Node& n, RunDefaults& d) { d.shell = r.shell(n, "defaults.run.shell"); }},
      {"working-directory",
       [](Reader& r, const Node& n, RunDefaults& d) {
         d.working_directory = r.text(n, "defaults.run.working-directory").value_or("");
       }},
  };
  static constexpr Property<Outer> outer[] = {
      {"run", [](Reader& r, const Node& n, Outer& o) { read_mapping(r, n, "defaults.run.", run, o.run); }},
  };
  Outer read;
  read_mapping(*this, node, what, outer, read);
  return std::move(read.run);
}

// No token is given to jobs yet, so permissions can only take away what is not there: they are checked and kept.
void Reader::permissions(const Node& node, std::string_view what) {
  if (node.kind == Node::Kind::null) return;
  if (node.kind == Node::Kind::string) {
    if (node.text == "read-all" || node.text == "write-all") return;
    return error(node.at, "Unexpected value '" + node.text + "'. " + std::string(what) +
                              " is read-all, write-all or a mapping.");
  }
  if (!expect(node, Node::Kind::mapping)) return;
  for (const Pair& pair : node.pairs) {
    const std::string& level = pair.value.text;
    if (pair.value.is_scalar() && (level == "read" || level == "write" || level == "none")) continue;
    error(pair.value.at, "Unexpected value '" + level + "'. A permission is read, write or none.");
  }
}

bool Reader::identifier(const std::string& id, Position at) {
  bool good = !id.empty() && id.size() < 100 && is_letter(id[0]) &&
              std::ranges::all_of(id, [](char c) { return is_letter(c) || is_digit(c) || c == '-'; });
  if (!good) {
    error(at, "The identifier '" + id +
                  "' is invalid. IDs may only contain alphanumeric characters, '_', and '-'. IDs must start with a "
                  "letter or '_' and must be less than 100 characters.");
  }
  return good;
}

}  // namespace headrace::workflow
