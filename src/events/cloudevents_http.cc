// CloudEvents in HTTP messages: HTTP Protocol Binding 1.0.2.
#include <algorithm>
#include <array>

#include "core/bytes.h"
#include "events/cloudevents.h"
#include "events/raw_json.h"

namespace headrace::events {

namespace {

constexpr std::string_view prefix = "ce-";

// Section 3.1.3.2: space, double quote, percent and all that is not printable ASCII.
std::string encoded(std::string_view value) {
  std::string out;
  for (char c : value) {
    if (c > 0x20 && c < 0x7f && c != '"' && c != '%') {
      out += c;
    } else {
      constexpr std::string_view digits = "0123456789ABCDEF";
      auto byte = static_cast<unsigned char>(c);
      out += {'%', digits[byte >> 4], digits[byte & 15]};
    }
  }
  return out;
}

// A quoted-string of RFC 7230, section 3.2.6, which old senders use; anything else as it is.
std::string unquoted(std::string_view value) {
  if (value.size() < 2 || !value.starts_with('"') || !value.ends_with('"')) return std::string(value);
  std::string out;
  auto inside = value.substr(1, value.size() - 2);
  for (size_t i = 0; i < inside.size(); ++i) {
    if (inside[i] == '\\' && i + 1 < inside.size()) ++i;
    out += inside[i];
  }
  return out;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// One round of percent-decoding; nothing when a percent sign is not followed by two digits.
std::optional<std::string> decoded(std::string_view value) {
  std::string out;
  auto plain = unquoted(value);
  for (size_t i = 0; i < plain.size(); ++i) {
    if (plain[i] != '%') {
      out += plain[i];
      continue;
    }
    int high = i + 2 < plain.size() ? hex_value(plain[i + 1]) : -1;
    int low = i + 2 < plain.size() ? hex_value(plain[i + 2]) : -1;
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::string as_text(const Attribute& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<int32_t>(&value)) return std::to_string(*number);
  return std::get<std::string>(value);
}

bool is_essence(std::string_view content_type, std::string_view essence) {
  auto media_type = content_type.substr(0, content_type.find(';'));
  while (media_type.ends_with(' ')) media_type.remove_suffix(1);
  return std::ranges::equal(media_type, essence,
                            [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

std::string_view content_type_of(const Headers& headers) {
  auto found = headers.find("content-type");
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

constexpr std::array<std::pair<std::string_view, std::string Event::*>, 5> text_attributes{{
    {"id", &Event::id},
    {"source", &Event::source},
    {"type", &Event::type},
    {"subject", &Event::subject},
    {"dataschema", &Event::dataschema},
}};

// Sets one attribute from its header; what is wrong with it is said with the header's name.
void set_attribute(Event& event, Problems& problems, std::string_view name, const std::string& value) {
  std::string pointer = "/headers/ce-" + std::string(name);
  for (const auto& [known, member] : text_attributes) {
    if (name != known) continue;
    if (value.empty()) problems.push_back({pointer, "The header is empty; give it a value or leave it out."});
    event.*member = value;
    return;
  }
  if (name == "specversion") {
    if (value != "1.0") problems.push_back({pointer, "The specversion must be 1.0."});
  } else if (name == "time") {
    auto time = core::parse_time(value);
    if (time)
      event.time = *time;
    else
      problems.push_back({pointer, time.error().message});
  } else if (name == "datacontenttype") {
    problems.push_back({pointer, "In binary mode the content-type header gives the type of the data, not this one."});
  } else {
    event.extensions.insert_or_assign(std::string(name), value);
  }
}

void read_headers(Event& event, Problems& problems, const Headers& headers) {
  for (auto at = headers.lower_bound(prefix); at != headers.end() && at->first.starts_with(prefix); ++at) {
    if (problems.size() >= problems_max) return;
    auto value = decoded(at->second);
    if (!value || !core::is_utf8(*value)) {
      problems.push_back(
          {"/headers/" + at->first, "The header's value is not percent-encoded UTF-8: write a lone % as %25."});
    } else {
      set_attribute(event, problems, std::string_view(at->first).substr(prefix.size()), *value);
    }
  }
}

void read_body(Event& event, Problems& problems, const Headers& headers, std::string_view body) {
  event.datacontenttype = content_type_of(headers);
  if (body.empty()) return;
  event.has_data = true;
  event.data = body;
  if (is_json(event.datacontenttype) && !is_json_text(body))
    problems.push_back({"/body", "The body is not JSON, though its content-type says so or is missing."});
}

// The rules all modes share, said in terms of headers; what a header was already blamed for is not said again.
void add_rules(const Event& event, Problems& problems) {
  for (auto& problem : check(event)) {
    auto pointer = problem.pointer.empty()                 ? std::string()
                   : problem.pointer == "/datacontenttype" ? "/headers/content-type"
                                                           : "/headers/ce-" + problem.pointer.substr(1);
    bool said = std::ranges::any_of(problems, [&](const Problem& other) { return other.pointer == pointer; });
    if (!said && problems.size() < problems_max) problems.push_back({pointer, std::move(problem.message)});
  }
}

}  // namespace

Binary to_binary(const Event& event) {
  Binary binary;
  binary.headers["ce-specversion"] = "1.0";
  for (const auto& [name, member] : text_attributes) {
    if (!(event.*member).empty()) binary.headers["ce-" + std::string(name)] = encoded(event.*member);
  }
  if (event.time) binary.headers["ce-time"] = core::format_time(*event.time);
  for (const auto& [name, value] : event.extensions) binary.headers["ce-" + name] = encoded(as_text(value));
  // Section 3.1.1, and JSON Event Format, section 3: absent means JSON, and is said so where the mode changes.
  if (!event.datacontenttype.empty())
    binary.headers["content-type"] = event.datacontenttype;
  else if (event.has_data)
    binary.headers["content-type"] = "application/json";
  if (event.has_data) binary.body = event.data;
  return binary;
}

Read<Event> read_binary(const Headers& headers, std::string_view body) {
  if (body.size() > event_bytes_max)
    return std::unexpected(
        Problems{{"/body", "The event is larger than 256 KiB; store what is large as a blob and point to it."}});
  Event event;
  Problems problems;
  if (!headers.contains("ce-specversion"))
    problems.push_back({"/headers/ce-specversion", "The header ce-specversion is missing; it is 1.0."});
  read_headers(event, problems, headers);
  read_body(event, problems, headers, body);
  add_rules(event, problems);
  if (!problems.empty()) return std::unexpected(std::move(problems));
  return event;
}

Mode mode_of(const Headers& headers) {
  auto content_type = content_type_of(headers);
  if (is_essence(content_type, batch_media_type)) return Mode::batch;
  if (is_essence(content_type, structured_media_type)) return Mode::structured;
  return Mode::binary;
}

Read<std::vector<Event>> read_http(const Headers& headers, std::string_view body) {
  auto mode = mode_of(headers);
  if (mode == Mode::batch) return read_batch(body);
  auto event = mode == Mode::structured ? read_structured(body) : read_binary(headers, body);
  if (!event) return std::unexpected(std::move(event.error()));
  return std::vector<Event>{std::move(*event)};
}

}  // namespace headrace::events
