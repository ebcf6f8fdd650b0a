#include "git/pkt_line.h"

#include <fmt/format.h>

#include <algorithm>

#include "git/names.h"

namespace headrace::git {
namespace {

using core::Code;
using core::Result;

constexpr size_t length_digits = 4;
constexpr size_t option_bytes_max = 4096;
constexpr size_t options_max = 100;
constexpr size_t capability_bytes_max = 4096;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::unexpected<core::Error> broken(std::string_view why) {
  return core::fail(
      Code::invalid,
      fmt::format("This is not what git sends: {}. Update git, or look for a proxy that changes requests.", why));
}

Result<size_t> length_of(std::string_view digits) {
  size_t length = 0;
  for (const char c : digits) {
    const int value = hex_value(c);
    if (value < 0) return broken("a line has no length of four hexadecimal digits");
    length = length * 16 + static_cast<size_t>(value);
  }
  return length;
}

std::string_view without_newline(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> words;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    if (end > begin) words.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

Result<> no_duplicates(std::vector<std::string> names) {
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice == names.end()) return {};
  return core::fail(Code::invalid, fmt::format("{} is to be moved twice by one push. Push it once.", *twice));
}

}  // namespace

Result<std::optional<Packet>> first_packet(std::string_view bytes) {
  if (bytes.size() < length_digits) return std::optional<Packet>();
  const auto length = length_of(bytes.substr(0, length_digits));
  if (!length) return std::unexpected(length.error());
  if (*length == 0) return Packet{Packet::Kind::flush, {}, length_digits};
  if (*length == 1) return Packet{Packet::Kind::delimiter, {}, length_digits};
  if (*length == 2) return Packet{Packet::Kind::response_end, {}, length_digits};
  if (*length < length_digits || *length > packet_bytes_max)
    return broken(fmt::format("a line gives its length as {}", *length));
  if (bytes.size() < *length) return std::optional<Packet>();
  return Packet{Packet::Kind::data, bytes.substr(length_digits, *length - length_digits), *length};
}

std::string to_packet(std::string_view text) { return fmt::format("{:04x}{}", text.size() + length_digits, text); }

bool PushHead::has(std::string_view capability) const {
  return std::ranges::find(capabilities, capability) != capabilities.end();
}

bool PushHead::wants_pack() const {
  return std::ranges::any_of(
      changes, [](const RefChange& change) { return change.new_commit.find_first_not_of('0') != std::string::npos; });
}

Result<bool> PushHeadReader::feed(std::string_view bytes) {
  fed_ += bytes;
  while (part_ != Part::done) {
    const auto packet = first_packet(std::string_view(fed_).substr(consumed_));
    if (!packet) return std::unexpected(packet.error());
    if (!*packet) return false;
    if (consumed_ > push_head_bytes_max)
      return core::fail(Code::exhausted, "The list of refs of this push is larger than 32 MiB. Push them in parts.");
    consumed_ += (*packet)->bytes;
    if (auto taken = take(**packet); !taken) return std::unexpected(taken.error());
  }
  return true;
}

Result<> PushHeadReader::take(const Packet& packet) {
  if (packet.kind == Packet::Kind::flush) {
    const bool options_follow = part_ == Part::commands && head_.has("push-options");
    part_ = options_follow ? Part::options : Part::done;
    return no_duplicates(std::move(seen_));
  }
  if (packet.kind != Packet::Kind::data) return broken("a delimiter stands among the refs");
  const auto text = without_newline(packet.text);
  if (part_ == Part::commands) return take_command(text);
  if (text.size() > option_bytes_max || head_.options.size() >= options_max)
    return core::fail(Code::exhausted,
                      "There are more than 100 push options, or one is longer than 4096 bytes. Send fewer.");
  head_.options.emplace_back(text);
  return {};
}

// old-id SP new-id SP name, on the first line followed by NUL and the client's capabilities.
Result<> PushHeadReader::take_command(std::string_view text) {
  constexpr size_t id = 40;
  if (text.starts_with("shallow ") && is_commit_id(text.substr(8))) {
    head_.shallow = true;
    return {};
  }
  if (text.starts_with("push-cert"))
    return core::fail(Code::invalid, "Signed pushes are not offered here. Push without --signed.");
  const size_t end = text.find('\0');
  if (end != std::string_view::npos && head_.changes.empty()) {
    if (text.size() - end > capability_bytes_max) return broken("its list of capabilities is too long");
    head_.capabilities = split(text.substr(end + 1));
    text = text.substr(0, end);
  }
  if (text.size() < 2 * id + 3 || text[id] != ' ' || text[2 * id + 1] != ' ' || !is_commit_id(text.substr(0, id)) ||
      !is_commit_id(text.substr(id + 1, id)))
    return broken("a line is no order to move a ref");
  const auto ref = text.substr(2 * id + 2);
  if (auto good = check_ref(ref); !good) return good;
  if (head_.changes.size() >= commands_max_)
    return core::fail(Code::exhausted, fmt::format("A push moves at most {} refs. Push them in parts.", commands_max_));
  seen_.emplace_back(ref);
  head_.changes.push_back({std::string(ref), std::string(text.substr(0, id)), std::string(text.substr(id + 1, id))});
  return {};
}

}  // namespace headrace::git
