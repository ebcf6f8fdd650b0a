#include "events/cloudevents.h"

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <forward_list>

#include "core/bytes.h"
#include "core/json.h"
#include "events/formats.h"
#include "events/raw_json.h"

namespace headrace::events {

namespace {

namespace json = core::json;

constexpr std::string_view not_in_string =
    "holds a character that CloudEvents strings may not have (a control character or noncharacter)";

std::string pointer_to(std::string_view name) {
  std::string pointer = "/";
  for (char c : name) {  // RFC 6901, section 3
    if (c == '~')
      pointer += "~0";
    else if (c == '/')
      pointer += "~1";
    else
      pointer += c;
  }
  return pointer;
}

void add(Problems& problems, std::string pointer, std::string message) {
  if (problems.size() < problems_max) problems.push_back({std::move(pointer), std::move(message)});
}

bool is_attribute_name(std::string_view name) {
  return !name.empty() && name.size() <= attribute_name_max &&
         std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

// What JSON text holds, told by its first character.
std::string with_article(std::string_view value) {
  switch (value.empty() ? '\0' : value.front()) {
    case 'n': return "null";
    case 't':
    case 'f': return "a boolean";
    case '"': return "a string";
    case '[': return "an array";
    case '{': return "an object";
    default: return "a number";
  }
}

// CloudEvents 1.0.2, "Required Attributes" and "Optional Attributes": what a context attribute's text must be.
struct Rule {
  std::string_view name;
  std::string Event::* member;
  bool required;
  bool (*good)(std::string_view);
  std::string_view wanted;
};
bool anything(std::string_view) { return true; }
constexpr std::array rules{
    Rule{"id", &Event::id, true, anything, ""},
    Rule{"source", &Event::source, true, is_uri_reference,
         "a URI-reference (RFC 3986), as in /shop/build or https://example.com/build"},
    Rule{"type", &Event::type, true, anything, ""},
    Rule{"subject", &Event::subject, false, anything, ""},
    Rule{"datacontenttype", &Event::datacontenttype, false, is_media_type,
         "a media type (RFC 2046), as in application/json"},
    Rule{"dataschema", &Event::dataschema, false, is_uri,
         "a URI (RFC 3986) with a scheme, as in https://example.com/schema"},
};

bool is_standard(std::string_view name) {
  return name == "specversion" || name == "time" || name == "data" || name == "data_base64" ||
         std::ranges::any_of(rules, [&](const Rule& rule) { return rule.name == name; });
}

void check_text(Problems& problems, const Rule& rule, std::string_view text) {
  std::string name(rule.name);
  if (text.empty())
    return add(problems, "/" + name,
               "The attribute '" + name + "' is empty; give it at least one character or leave it out.");
  if (!is_string_value(text))
    return add(problems, "/" + name, "The attribute '" + name + "' " + std::string(not_in_string) + ".");
  if (!rule.good(text))
    add(problems, "/" + name, "The attribute '" + name + "' must be " + std::string(rule.wanted) + ".");
}

void check_extension(Problems& problems, std::string_view name, const Attribute& value) {
  if (!is_attribute_name(name)) {
    add(problems, pointer_to(name),
        "'" + std::string(name.substr(0, attribute_name_max)) +
            "' is no attribute name: use only a-z and 0-9, and at most " + std::to_string(attribute_name_max) +
            " of them.");
  }
  const auto* text = std::get_if<std::string>(&value);
  if (text && !is_string_value(*text))
    add(problems, pointer_to(name), "The attribute '" + std::string(name) + "' " + std::string(not_in_string) + ".");
}

void append_quoted(std::string& out, std::string_view text) { out += json::serialize(json::string_view(text)); }

void append_member(std::string& out, std::string_view name, std::string_view text) {
  if (text.empty()) return;
  out.append(",\"").append(name).append("\":");
  append_quoted(out, text);
}

void append_extension(std::string& out, std::string_view name, const Attribute& value) {
  out.append(",\"").append(name).append("\":");
  if (const auto* flag = std::get_if<bool>(&value)) out += *flag ? "true" : "false";
  if (const auto* number = std::get_if<int32_t>(&value)) out += std::to_string(*number);
  if (const auto* text = std::get_if<std::string>(&value)) append_quoted(out, *text);
}

// JSON Event Format, section 3.1: JSON as itself, text as a string, all else (JSON that is none too) in Base64.
void append_data(std::string& out, const Event& event) {
  if (!event.has_data) return;
  if (is_json(event.datacontenttype) && is_json_text(event.data)) {
    out.append(",\"data\":").append(event.data);
  } else if (!is_json(event.datacontenttype) && core::is_utf8(event.data)) {
    out += ",\"data\":";
    append_quoted(out, event.data);
  } else {
    out.append(",\"data_base64\":\"").append(core::to_base64(core::as_bytes(event.data))).append("\"");
  }
}

// Reads one object from JSON text that is known to be good, where it stands: most of an event is data, and that stays
// as it came. What it finds wrong is in `problems_`.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Read<Event> read() {
    text_.remove_prefix(std::min(text_.find_first_not_of(" \t\r\n"), text_.size()));
    if (text_.starts_with('{')) {
      take_members();
      read_members();
    } else {
      add(problems_, "", "An event is a JSON object; this is " + with_article(text_) + ".");
    }
    if (!problems_.empty()) return std::unexpected(std::move(problems_));
    return std::move(event_);
  }

 private:
  // Of repeated names the last, as core::parse_json has it.
  void take_members() {
    members_ = raw_members(text_);
    for (auto& member : members_) {
      std::string kept;
      auto name = plain_text(member.name, kept);
      member.name = kept.empty() ? name : std::string_view(kept_.emplace_front(std::move(kept)));
    }
    drop_repeated();
  }

  void drop_repeated() {
    std::vector<const RawMember*> by_name;
    by_name.reserve(members_.size());
    for (const auto& member : members_) by_name.push_back(&member);
    std::ranges::sort(by_name, {}, [](const RawMember* member) { return std::pair(member->name, member); });
    std::vector<const RawMember*> repeated;
    for (size_t i = 1; i < by_name.size(); ++i)
      if (by_name[i - 1]->name == by_name[i]->name) repeated.push_back(by_name[i - 1]);
    if (repeated.empty()) return;
    std::ranges::sort(repeated);
    std::erase_if(members_, [&](const RawMember& member) { return std::ranges::binary_search(repeated, &member); });
  }

  void read_members() {
    read_specversion();
    for (const auto& rule : rules) read_attribute(rule);
    for (const auto& [name, value] : members_) {
      if (!is_standard(name) && value != "null") read_extension(name, value);
    }
    read_time();
    read_data();
  }

  std::optional<std::string_view> find(std::string_view name) const {
    auto member = std::ranges::find(members_, name, &RawMember::name);
    return member != members_.end() ? std::optional(member->value) : std::nullopt;
  }

  // JSON Event Format, section 2.2: null is the same as absent.
  std::optional<std::string_view> value_of(std::string_view name) const {
    auto value = find(name);
    return value && *value != "null" ? value : std::nullopt;
  }

  std::optional<std::string> text_of(std::string_view name) {
    auto value = value_of(name);
    if (!value) return std::nullopt;
    if (value->starts_with('"')) return text_in(*value);
    add(problems_, pointer_to(name),
        "The attribute '" + std::string(name) + "' must be a string, not " + with_article(*value) + ".");
    return std::nullopt;
  }

  static std::string text_in(std::string_view string) {
    std::string kept;
    return std::string(plain_text(string, kept));
  }

  void require(std::string_view name) {
    if (!value_of(name))
      add(problems_, pointer_to(name),
          "The attribute '" + std::string(name) + "' is missing; every CloudEvent has it.");
  }

  void read_specversion() {
    require("specversion");
    auto version = text_of("specversion");
    if (version && *version != "1.0") add(problems_, "/specversion", "The specversion must be \"1.0\".");
  }

  void read_attribute(const Rule& rule) {
    if (rule.required) require(rule.name);
    auto text = text_of(rule.name);
    if (!text) return;
    check_text(problems_, rule, *text);
    event_.*rule.member = std::move(*text);
  }

  void read_time() {
    auto text = text_of("time");
    if (!text) return;
    auto time = core::parse_time(*text);
    if (!time) return add(problems_, "/time", time.error().message);
    event_.time = *time;
  }

  void read_extension(std::string_view name, std::string_view value) {
    auto attribute = attribute_of(name, value);
    if (!attribute) return;
    check_extension(problems_, name, *attribute);
    event_.extensions.insert_or_assign(std::string(name), std::move(*attribute));
  }

  std::optional<Attribute> attribute_of(std::string_view name, std::string_view value) {
    if (value.starts_with('"')) return text_in(value);
    if (value == "true" || value == "false") return value == "true";
    auto number = core::parse_json(value);
    bool is_number = number && number->is_number();
    if (is_number && number->is_int64() && number->get_int64() >= INT32_MIN && number->get_int64() <= INT32_MAX)
      return static_cast<int32_t>(number->get_int64());
    add(problems_, pointer_to(name),
        "The attribute '" + std::string(name) + "' must be a string, a boolean or a whole number of 32 bits, not " +
            (is_number ? "this number" : with_article(value)) + ".");
    return std::nullopt;
  }

  void read_data() {
    auto data = find("data");
    auto binary = value_of("data_base64");
    if (data && binary) add(problems_, "/data_base64", "An event has either 'data' or 'data_base64', not both.");
    if (binary) return read_binary_data(*binary);
    if (!data) return;
    event_.has_data = true;
    if (is_json(event_.datacontenttype)) {
      event_.data = *data;
    } else if (data->starts_with('"')) {
      event_.data = text_in(*data);
    } else {
      add(problems_, "/data",
          "The data must be a string, because datacontenttype is not JSON; it is " + with_article(*data) + ".");
    }
  }

  void read_binary_data(std::string_view binary) {
    auto bytes = binary.starts_with('"') ? core::from_base64(text_in(binary)) : std::nullopt;
    if (!bytes) return add(problems_, "/data_base64", "data_base64 must be a string in Base64 (RFC 4648).");
    event_.has_data = true;
    event_.data = std::move(*bytes);
  }

  std::string_view text_;
  std::vector<RawMember> members_;       // names without quotes
  std::forward_list<std::string> kept_;  // names that were written with escapes
  Problems problems_;
  Event event_;
};

constexpr std::string_view event_too_large =
    "The event is larger than 256 KiB; store what is large as a blob and point to it.";

// What is not JSON, in words; nothing where it is.
std::optional<Problems> problem_of_json(std::string_view text) {
  if (is_json_text(text)) return std::nullopt;
  auto parsed = core::parse_json(text);
  return Problems{{"", parsed ? "This is not JSON." : parsed.error().message}};
}

Read<Event> read_one(std::string_view json_text) {
  if (json_text.size() > event_bytes_max) return std::unexpected(Problems{{"", std::string(event_too_large)}});
  return Reader(json_text).read();
}

// More than to_structured() can make of it: a character takes at most six bytes as \u0000, three bytes four in Base64.
size_t structured_bytes_at_most(const Event& event) {
  constexpr size_t punctuation = 256, escaped = 6;
  size_t text = event.id.size() + event.source.size() + event.type.size() + event.subject.size() +
                event.datacontenttype.size() + event.dataschema.size();
  size_t extensions = 0;
  for (const auto& [name, value] : event.extensions) {
    const auto* words = std::get_if<std::string>(&value);
    extensions += name.size() + 16 + escaped * (words != nullptr ? words->size() : 0);
  }
  return punctuation + escaped * (text + event.data.size()) + extensions;
}

}  // namespace

core::Error to_error(const Problems& problems) {
  core::Error error{core::Code::invalid, {}, {}};
  constexpr size_t shown = 5;
  for (const auto& problem : problems) {
    if (&problem - problems.data() == shown) break;
    if (!error.message.empty()) error.message += ' ';
    if (!problem.pointer.empty()) error.message += problem.pointer + ": ";
    error.message += problem.message;
  }
  if (problems.size() > shown) error.message += " And " + std::to_string(problems.size() - shown) + " more.";
  return error;
}

std::string to_structured(const Event& event) {
  std::string out = R"({"specversion":"1.0")";
  out.reserve(256 + event.data.size());
  append_member(out, "id", event.id);
  append_member(out, "source", event.source);
  append_member(out, "type", event.type);
  append_member(out, "subject", event.subject);
  if (event.time) append_member(out, "time", core::format_time(*event.time));
  append_member(out, "datacontenttype", event.datacontenttype);
  append_member(out, "dataschema", event.dataschema);
  for (const auto& [name, value] : event.extensions) append_extension(out, name, value);
  append_data(out, event);
  out += '}';
  return out;
}

Read<Event> read_structured(std::string_view text) {
  if (text.size() <= event_bytes_max)
    if (auto problem = problem_of_json(text)) return std::unexpected(std::move(*problem));
  return read_one(text);
}

std::string to_batch(const std::vector<Event>& events) {
  std::string out = "[";
  for (const auto& event : events) {
    if (out.size() > 1) out += ',';
    out += to_structured(event);
  }
  out += ']';
  return out;
}

Read<std::vector<Event>> read_batch(std::string_view text) {
  if (text.size() > batch_bytes_max)
    return std::unexpected(Problems{{"", "The batch is larger than 8 MiB; send it in parts."}});
  if (auto problem = problem_of_json(text)) return std::unexpected(std::move(*problem));
  if (text.find_first_not_of(" \t\r\n") != text.find('['))
    return std::unexpected(Problems{{"", "A batch is a JSON array of events."}});
  auto elements = raw_elements(text);
  if (elements.size() > batch_events_max) {
    return std::unexpected(
        Problems{{"", "The batch has more than " + std::to_string(batch_events_max) + " events; send it in parts."}});
  }
  std::vector<Event> events;
  Problems problems;
  for (size_t i = 0; i < elements.size(); ++i) {
    auto event = read_one(elements[i]);
    if (event) {
      events.push_back(std::move(*event));
    } else {
      for (auto& problem : event.error())
        add(problems, "/" + std::to_string(i) + problem.pointer, std::move(problem.message));
    }
  }
  if (!problems.empty()) return std::unexpected(std::move(problems));
  return events;
}

Problems check(const Event& event) {
  Problems problems;
  for (const auto& rule : rules) {
    const auto& text = event.*rule.member;
    if (!text.empty()) {
      check_text(problems, rule, text);
    } else if (rule.required) {
      add(problems, pointer_to(rule.name),
          "The attribute '" + std::string(rule.name) + "' is missing; every CloudEvent has it.");
    }
  }
  for (const auto& [name, value] : event.extensions) {
    check_extension(problems, name, value);
    if (is_standard(name))
      add(problems, pointer_to(name), "'" + name + "' is an attribute of the standard, not an extension.");
  }
  if (structured_bytes_at_most(event) > event_bytes_max && to_structured(event).size() > event_bytes_max)
    add(problems, "", std::string(event_too_large));
  return problems;
}

bool is_reserved(std::string_view source) {
  return source.starts_with(reserved_source) || source == reserved_source.substr(0, reserved_source.size() - 1);
}

}  // namespace headrace::events
