#include "net/sse.h"

#include <algorithm>
#include <utility>

#include "net/grammar.h"

namespace headrace::net {

namespace {

void put_field(std::string& into, std::string_view name, std::string_view value) {
  into.append(name).append(": ");
  for (char c : value)
    if (c != '\r' && c != '\n' && c != '\0') into.push_back(c);
  into.push_back('\n');
}

// The end of a line is CR LF, LF or CR alone, all the same.
size_t line_break(std::string_view text) { return std::min(text.find_first_of("\r\n"), text.size()); }

void put_data(std::string& into, std::string_view data) {
  while (true) {
    const size_t end = line_break(data);
    into.append("data: ").append(data.substr(0, end)).push_back('\n');
    if (end == data.size()) return;
    data.remove_prefix(end + (data.substr(end).starts_with("\r\n") ? 2 : 1));
  }
}

}  // namespace

std::string encode(const ServerSentEvent& event) {
  std::string bytes;
  bytes.reserve(event.data.size() + event.id.size() + event.name.size() + 32);
  if (!event.id.empty()) put_field(bytes, "id", event.id);
  if (!event.name.empty()) put_field(bytes, "event", event.name);
  put_data(bytes, event.data);
  bytes.push_back('\n');
  return bytes;
}

core::Result<std::vector<ServerSentEvent>> SseParser::feed(std::string_view bytes) {
  std::vector<ServerSentEvent> events;
  while (!bytes.empty()) {
    if (std::exchange(skip_line_feed_, false) && bytes.front() == '\n') bytes.remove_prefix(1);
    const size_t end = line_break(bytes);
    if (rest_.size() + end + data_.size() > event_bytes_max_)
      return core::fail(core::Code::exhausted,
                        "An event of the stream is larger than " + std::to_string(event_bytes_max_) + " bytes.");
    rest_.append(bytes.substr(0, end));
    if (end == bytes.size()) break;
    skip_line_feed_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    line(rest_, events);
    rest_.clear();
  }
  return events;
}

void SseParser::line(std::string_view text, std::vector<ServerSentEvent>& into) {
  if (std::exchange(first_, false) && text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  if (!text.empty()) {
    const size_t colon = std::min(text.find(':'), text.size());
    std::string_view value = text.substr(std::min(colon + 1, text.size()));
    if (value.starts_with(' ')) value.remove_prefix(1);
    return field(text.substr(0, colon), value);
  }
  if (has_data_) {
    data_.pop_back();  // the line feed after the last line
    into.push_back({.id = last_id_, .name = std::exchange(name_, {}), .data = std::exchange(data_, {})});
  }
  has_data_ = false;
  name_.clear();
}

void SseParser::field(std::string_view name, std::string_view value) {
  if (name == "data") {
    data_.append(value).push_back('\n');
    has_data_ = true;
  } else if (name == "event") {
    name_ = value;
  } else if (name == "id") {
    if (!value.contains('\0')) last_id_ = value;
  } else if (name == "retry") {
    if (auto wait = parse_length(value)) retry_ = std::chrono::milliseconds(static_cast<int64_t>(*wait));
  }
}

}  // namespace headrace::net
