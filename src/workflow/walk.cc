#include "workflow/walk.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <set>

#include "core/beginning.h"
#include "core/result.h"
#include "workflow/trigger.h"

namespace headrace::workflow {
namespace {

using schema::Check;
using schema::Definition;
using schema::Form;
using schema::Names;

constexpr std::string_view not_allowed =
    "A template expression is not allowed in this context. Write the value itself.";

std::string in_quotes(std::string_view text) {
  constexpr size_t shown_max = 200;
  bool cut = text.size() > shown_max;
  return "'" + std::string(core::beginning(text, shown_max)) + (cut ? "[...]'" : "'");
}

std::string listed(std::span<const std::string_view> words) {
  std::string out;
  for (std::string_view word : words) out.append(out.empty() ? "" : ", ").append(word);
  return out;
}

std::string expected(const Definition& definition) {
  if (!definition.words.empty() && definition.forms.empty()) return "one of " + listed(definition.words);
  std::vector<std::string_view> kinds;
  if (definition.scalars & schema::string) kinds.push_back("a string");
  if (definition.scalars & schema::boolean) kinds.push_back("true or false");
  if (definition.scalars & schema::number) kinds.push_back("a number");
  if (definition.items != nullptr) kinds.push_back("a sequence");
  if (!definition.forms.empty()) kinds.push_back("a mapping");
  if (kinds.empty()) kinds.push_back("nothing");
  std::string out(kinds[0]);
  for (size_t i = 1; i < kinds.size(); ++i) out.append(i + 1 == kinds.size() ? " or " : ", ").append(kinds[i]);
  return out;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

// Of ASCII, as GitHub compares keys.
bool equal_but_for_case(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right, [](char a, char b) { return lower(a) == lower(b); });
}

// Whether a key differs from one before it by its case alone. Few are looked through, many are remembered.
class KeysSeen {
 public:
  bool repeats(const Node& mapping, size_t place) {
    std::string_view key = mapping.pairs[place].key.text;
    if (key.empty()) return false;
    if (place <= linear_max) {
      auto before = std::span(mapping.pairs).first(place);
      return std::ranges::any_of(before, [&](const Pair& pair) { return equal_but_for_case(pair.key.text, key); });
    }
    for (; known_ < place; ++known_) keys_.insert(lower(mapping.pairs[known_].key.text));
    return keys_.contains(lower(key));
  }

 private:
  static constexpr size_t linear_max = 16;
  std::set<std::string> keys_;
  size_t known_ = 0;
};

const schema::Property* find(const Form& form, std::string_view name) {
  auto found = std::ranges::find(form.properties, name, &schema::Property::name);
  return found == form.properties.end() ? nullptr : &*found;
}

// The forms of a mapping that its keys so far leave open.
class Fitting {
 public:
  explicit Fitting(std::span<const Form> forms) : forms_(forms), open_((1U << forms.size()) - 1) {
    core::require(!forms.empty() && forms.size() < std::numeric_limits<uint32_t>::digits, "a mapping has a few forms");
  }

  const Form& first() const { return forms_[static_cast<size_t>(std::countr_zero(open_))]; }
  bool one() const { return std::has_single_bit(open_); }
  template <class See>
  void each(See see) const {
    for (uint32_t rest = open_; rest != 0; rest &= rest - 1) see(forms_[static_cast<size_t>(std::countr_zero(rest))]);
  }
  // Leaves those that have the property, which is returned as the first of them has it; null: none has, all stay.
  const schema::Property* narrow(std::string_view name) {
    const schema::Property* property = nullptr;
    uint32_t fitting = 0;
    for (uint32_t rest = open_; rest != 0; rest &= rest - 1) {
      auto place = static_cast<size_t>(std::countr_zero(rest));
      const schema::Property* found = find(forms_[place], name);
      if (found == nullptr) continue;
      fitting |= 1U << place;
      if (property == nullptr) property = found;
    }
    if (fitting != 0) open_ = fitting;
    return property;
  }

 private:
  std::span<const Form> forms_;
  uint32_t open_;  // a bit each
};

std::string names_of(const Fitting& fitting) {
  std::string names;
  std::set<std::string_view> told;
  fitting.each([&](const Form& form) {
    for (const schema::Property& property : form.properties) {
      if (property.lacking || !told.insert(property.name).second) continue;
      names.append(names.empty() ? "" : ", ").append(property.name);
    }
  });
  return names;
}

// What is missing of a mapping with these keys.
void tell_missing(Walk& walk, const Node& node, const Fitting& fitting, bool computed) {
  if (!fitting.one()) {
    std::string wanted;
    fitting.each([&](const Form& form) {
      for (const schema::Property& property : form.properties) {
        if (property.required && !property.lacking) wanted.append(wanted.empty() ? "" : ", ").append(property.name);
      }
    });
    return walk.error(node.at,
                      "There's not enough info to determine what you meant. Add one of these properties: " + wanted);
  }
  if (computed) return;
  for (const schema::Property& property : fitting.first().properties) {
    if (!property.required) continue;
    bool there = std::ranges::any_of(
        node.pairs, [&](const Pair& pair) { return equal_but_for_case(pair.key.text, property.name); });
    if (!there) walk.error(node.at, "Required property is missing: " + std::string(property.name));
  }
}

bool is_insert(const Node& key) { return key.text.contains("insert") && holds_expression(key.text); }

}  // namespace

NameList::NameList(Names names) {
  for (size_t i = 0; i < std::size(schema::context_names); ++i) {
    if (names & (1U << i)) contexts_.push_back(schema::context_names[i]);
  }
  if (names & schema::job_status) functions_.assign(std::begin(job_status_functions), std::end(job_status_functions));
  if (names & schema::step_status) functions_.assign(std::begin(status_functions), std::end(status_functions));
  if (names & schema::hash_files) functions_.push_back(hash_files_function[0]);
}

Language Walk::language(Names names) { return lists_.try_emplace(names, names).first->second.language(); }

void Walk::error(Position at, std::string message) {
  Finding finding{at, std::move(message)};
  bool told = std::ranges::find(errors, finding) != errors.end();  // an alias brings the same place again
  if (!told && errors.size() < findings_max) errors.push_back(std::move(finding));
}

void Walk::warn(Position at, std::string message) {
  Finding finding{at, std::move(message)};
  bool told = std::ranges::find(warnings, finding) != warnings.end();
  if (!told && warnings.size() < findings_max) warnings.push_back(std::move(finding));
}

void Walk::lacks(Position at, std::string feature) {
  Unsupported entry{at, std::move(feature), for_event};
  bool told = std::ranges::find(lacking, entry) != lacking.end();
  if (!told && lacking.size() < findings_max) lacking.push_back(std::move(entry));
}

std::string Walk::here() const {
  std::string out;
  for (std::string_view name : path_) out.append(out.empty() || name.starts_with('[') ? "" : ".").append(name);
  return out;
}

void Walk::value(const Node& node, const Definition& definition, Names outer) {
  Names names = outer | definition.names;
  if (definition.anything) {
    if (definition.check == Check::none) return any(node, names);
    return check(node, definition);
  }
  if (node.is_sequence()) return sequence(node, definition, names);
  if (node.is_mapping()) return mapping(node, definition, names);
  scalar(node, definition, names);
}

void Walk::any(const Node& node, Names names) {
  if (node.is_scalar()) {
    expressions(node, names);
    return;
  }
  for (const Node& item : node.items) any(item, names);
  for (const Pair& pair : node.pairs) {
    if (!expression_key(pair.key, names)) any(pair.value, names);
  }
}

void Walk::scalar(const Node& node, const Definition& definition, Names names) {
  if (definition.check == Check::job_condition || definition.check == Check::step_condition) {
    return condition(node, names);
  }
  if (!node.is_string() || !holds_expression(node.text)) return literal(node, definition);
  if (names == 0) {
    bool reads = Template::parse(node.text, {.contexts = {}, .any_name = true}).has_value();
    if (reads) return error(node.at, std::string(not_allowed));
  }
  if (!expressions(node, names) && (definition.scalars & schema::string) == 0) literal(node, definition);
}

void Walk::literal(const Node& node, const Definition& definition) {
  bool fits = (node.is_null() && (definition.scalars & schema::null)) ||
              (node.kind == Node::Kind::boolean && (definition.scalars & schema::boolean)) ||
              (node.kind == Node::Kind::number && (definition.scalars & schema::number));
  if (fits) return;
  bool text = (definition.scalars & schema::string) != 0;
  if (text && !definition.words.empty())
    text = std::ranges::find(definition.words, node.text) != definition.words.end();
  if (text && node.text.empty() && definition.check != Check::none) text = false;
  if (text) return check(node, definition);
  error(node.at, "Unexpected value " + in_quotes(node.text) + ". Here must stand " + expected(definition) + ".");
}

void Walk::sequence(const Node& node, const Definition& definition, Names names) {
  if (definition.items == nullptr) {
    return error(node.at, "A sequence was not expected. Here must stand " + expected(definition) + ".");
  }
  Step step(*this, "[*]");
  for (const Node& item : node.items) value(item, *definition.items, names);
}

// A key that is ${{ insert }}, or computed: its value cannot be told from here.
bool Walk::expression_key(const Node& key, Names names) {
  if (!key.is_string() || !holds_expression(key.text)) return false;
  if (names == 0) {
    error(key.at, std::string(not_allowed));
  } else if (!is_insert(key)) {
    expressions(key, names);
  }
  return true;
}

void Walk::property(const Pair& pair, const schema::Property& property, Names names) {
  Step step(*this, property.name);
  if (property.lacking) lacks(pair.key.at, here());
  value(pair.value, *property.type, names);
}

void Walk::mapping(const Node& node, const Definition& definition, Names names) {
  if (definition.forms.empty()) {
    return error(node.at, "A mapping was not expected. Here must stand " + expected(definition) + ".");
  }
  Fitting fitting(definition.forms);
  KeysSeen seen;  // without regard to case, as GitHub compares them
  bool computed = false;
  for (size_t place = 0; place < node.pairs.size(); ++place) {
    const Pair& pair = node.pairs[place];
    if (expression_key(pair.key, names)) {
      computed = true;
      if (names != 0) any(pair.value, names);
      continue;
    }
    if (seen.repeats(node, place)) {
      error(pair.key.at, "'" + pair.key.text + "' is already defined. Keys differ by more than case; remove one.");
    } else if (const schema::Property* known = fitting.narrow(pair.key.text)) {
      property(pair, *known, names);
    } else if (const Form& form = fitting.first(); form.key != nullptr) {
      literal(pair.key, *form.key);
      Step step(*this, form.key->check == Check::job_id ? "<job_id>" : "<name>");
      value(pair.value, *form.value, names);
    } else {
      error(pair.key.at,
            "Unexpected value " + in_quotes(pair.key.text) + ". Here may stand: " + names_of(fitting) + ".");
    }
  }
  tell_missing(*this, node, fitting, computed);
}

bool Walk::expressions(const Node& node, Names names) {
  if (!node.is_string() || !holds_expression(node.text)) return true;
  auto read = Template::parse(node.text, language(names));
  if (!read) {
    error(place(node, read.error().offset), read.error().message);
    return false;
  }
  node.expression = std::make_shared<const Template>(std::move(*read));
  return true;
}

void Walk::condition(const Node& node, Names names) {
  auto read = parse_condition(node.text, language(names));
  if (!read) return error(node.at, read.error().message);
  node.expression = std::make_shared<const Template>(Template::of(std::move(*read)));
}

Position Walk::place(const Node& node, size_t offset) const {
  if (!node.block) return node.at;
  std::string_view before = std::string_view(node.text).substr(0, offset);
  int line = node.at.line + 1 + static_cast<int>(std::ranges::count(before, '\n'));
  size_t start = 0;
  for (int i = 1; i < line && start != std::string_view::npos; ++i) {
    start = source_.find('\n', start);
    if (start != std::string_view::npos) ++start;
  }
  if (start == std::string_view::npos) return node.at;
  size_t in_line = before.size() - (before.rfind('\n') + 1);  // npos + 1 is 0
  std::string_view text_line = std::string_view(node.text).substr(offset - in_line);
  auto blanks = [](std::string_view line_text) { return std::min(line_text.find_first_not_of(' '), line_text.size()); };
  size_t indent = blanks(source_.substr(start)) - blanks(text_line);
  return {line, static_cast<int>(indent + in_line + 1)};
}

void Walk::check(const Node& node, const Definition& definition) {
  std::string problem;
  switch (definition.check) {
    case Check::job_id: problem = identifier_problem(node.text); break;
    case Check::step_uses: problem = step_uses_problem(node.text); break;
    case Check::job_uses: problem = job_uses_problem(node.text); break;
    case Check::cron: problem = cron_problem(node.text); break;
    case Check::timezone:
      if (node.text != "UTC" && node.text != "Etc/UTC") lacks(node.at, "on.schedule.timezone but UTC");
      break;
    default: break;
  }
  if (!problem.empty()) error(node.at, std::move(problem));
}

}  // namespace headrace::workflow
