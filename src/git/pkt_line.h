// pkt-line (gitprotocol-common(5)): four hexadecimal digits give the length of a line, themselves included; 0000 ends a
// section, 0001 delimits, 0002 ends a response. What a pushing client sends before its pack is read here, so that names
// are checked before any program sees them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "git/serve.h"

namespace headrace::git {

inline constexpr size_t packet_bytes_max = 65'520;

struct Packet {
  enum class Kind { data, flush, delimiter, response_end };
  Kind kind = Kind::data;
  std::string_view text;  // of data, as sent
  size_t bytes = 0;       // of the whole packet on the wire
};

// The first packet of `bytes`; nothing where more bytes are needed. invalid: no packet begins like this.
core::Result<std::optional<Packet>> first_packet(std::string_view bytes);
std::string to_packet(std::string_view text);
inline constexpr std::string_view flush_packet = "0000";
inline constexpr size_t push_head_bytes_max = size_t{32} << 20;

// The head of a push: commands and push options, everything before the pack.
struct PushHead {
  std::vector<RefChange> changes;
  std::vector<std::string> capabilities;
  std::vector<std::string> options;
  bool shallow = false;  // the history of the client is cut off
  bool has(std::string_view capability) const;
  bool wants_pack() const;  // a pack follows: not every command deletes
};

// Fed with the body as it comes; says when the head is whole. Refused are (invalid): what is no pkt-line, commands that
// are no commands, refs that git would not accept or that hold control characters, one ref twice, signed pushes (we
// offer none), more commands than `commands_max` (exhausted).
class PushHeadReader {
 public:
  explicit PushHeadReader(size_t commands_max) : commands_max_(commands_max) {}

  // Takes all of `bytes`. True once the head is whole; `consumed` of everything fed belong to it, the rest is the pack.
  core::Result<bool> feed(std::string_view bytes);
  const PushHead& head() const { return head_; }
  const std::string& fed() const { return fed_; }  // everything so far, head and what came after it
  size_t consumed() const { return consumed_; }
  bool empty() const { return fed_ == flush_packet; }  // a bare flush: the client only asks whether we would answer

 private:
  core::Result<> take(const Packet& packet);
  core::Result<> take_command(std::string_view text);

  size_t commands_max_;
  std::string fed_;
  size_t consumed_ = 0;
  enum class Part { commands, options, done } part_ = Part::commands;
  std::vector<std::string> seen_;  // unsorted names, looked at when the section ends
  PushHead head_;
};

}  // namespace headrace::git
