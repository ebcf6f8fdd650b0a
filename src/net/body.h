// The body of a message, taken out of its framing (RFC 9112, sections 6 and 7.1). Bytes in, bytes out. Internal to net.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/head.h"

namespace headrace::net {

class BodyDecoder {
 public:
  static constexpr size_t chunk_line_max = 4 * 1024;  // size and extensions of one chunk, which are passed over
  static constexpr size_t trailers_max = 8 * 1024;    // fields after the last chunk, which are checked and dropped

  explicit BodyDecoder(Framing framing = {});

  struct Step {
    size_t consumed = 0;  // of `from`
    size_t produced = 0;  // into `into`
  };
  // Goes on as far as `from` and `into` allow. Nothing when the framing is broken, see problem(). Not past the end of
  // the body: what follows is the next message's.
  std::optional<Step> decode(std::string_view from, std::span<std::byte> into);

  bool done() const { return state_ == State::done; }
  // So many of the next bytes are body and nothing else: they may be read straight to where they belong.
  uint64_t plain_bytes() const;
  void took_plain(uint64_t bytes);
  // The other end closed: true where that is the end of the body, else it was cut short.
  bool end_of_stream();
  const char* problem() const { return problem_; }

 private:
  enum class State { plain, chunk_size, chunk_data, chunk_end, trailers, done };

  bool take_line(std::string_view from, size_t& at);
  bool size_line();
  bool trailer_line();
  bool broken(const char* problem);
  bool line_step(std::string_view from, size_t& at);

  State state_;
  bool until_close_;
  uint64_t left_;     // of the body, or of the chunk
  std::string line_;  // a size line, or the end of a chunk, as far as it came
  bool line_done_ = false;
  size_t trailer_bytes_ = 0;
  const char* problem_ = nullptr;
};

}  // namespace headrace::net
