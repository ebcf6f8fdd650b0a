#include "net/body.h"

#include <algorithm>
#include <cstring>

#include "net/grammar.h"

namespace headrace::net {

BodyDecoder::BodyDecoder(Framing framing)
    : state_(State::done), until_close_(framing.kind == Framing::Kind::until_close), left_(framing.length) {
  if (until_close_) {
    state_ = State::plain;
    left_ = UINT64_MAX;
  } else if (framing.kind == Framing::Kind::length && left_ > 0) {
    state_ = State::plain;
  } else if (framing.kind == Framing::Kind::chunked) {
    state_ = State::chunk_size;
  }
}

uint64_t BodyDecoder::plain_bytes() const { return state_ == State::plain || state_ == State::chunk_data ? left_ : 0; }

void BodyDecoder::took_plain(uint64_t bytes) {
  if (!until_close_) left_ -= bytes;
  if (left_ == 0) state_ = state_ == State::plain ? State::done : State::chunk_end;
}

bool BodyDecoder::end_of_stream() {
  if (until_close_) state_ = State::done;
  return until_close_;
}

std::optional<BodyDecoder::Step> BodyDecoder::decode(std::string_view from, std::span<std::byte> into) {
  Step step;
  while (state_ != State::done && step.consumed < from.size()) {
    if (const uint64_t plain = plain_bytes(); plain > 0) {
      const size_t take =
          static_cast<size_t>(std::min<uint64_t>({plain, from.size() - step.consumed, into.size() - step.produced}));
      if (take == 0) break;  // no room
      std::memcpy(into.data() + step.produced, from.data() + step.consumed, take);
      step.consumed += take;
      step.produced += take;
      took_plain(take);
    } else if (!line_step(from, step.consumed)) {
      return std::nullopt;
    }
  }
  return step;
}

bool BodyDecoder::line_step(std::string_view from, size_t& at) {
  if (!take_line(from, at)) return false;
  if (!line_done_) return true;
  line_done_ = false;
  if (state_ == State::chunk_size) return size_line();
  if (state_ == State::trailers) return trailer_line();
  if (!line_.empty()) return broken("A chunk is longer than its size says.");
  state_ = State::chunk_size;
  return true;
}

// Moves up to the next line end into line_, without the CR LF itself.
bool BodyDecoder::take_line(std::string_view from, size_t& at) {
  const size_t end = from.find('\n', at);
  const size_t stop = end == std::string_view::npos ? from.size() : end + 1;
  const size_t bound = state_ == State::chunk_end ? 2 : chunk_line_max;
  if (line_.size() + (stop - at) > bound) return broken("A line of the chunked body is too long.");
  line_.append(from.substr(at, stop - at));
  at = stop;
  if (end == std::string_view::npos) return true;
  if (line_.size() < 2 || line_[line_.size() - 2] != '\r')
    return broken("A line of the chunked body does not end in CR LF.");
  line_.resize(line_.size() - 2);
  line_done_ = true;
  return true;
}

// RFC 9112, section 7.1: chunk-size [ chunk-ext ]. Extensions mean nothing to us, but must not hide a line end.
bool BodyDecoder::size_line() {
  uint64_t size = 0;
  size_t digits = 0;
  while (digits < line_.size() && hex_digit(line_[digits]) >= 0) {
    if (digits == 15) return broken("The size of a chunk is too large.");
    size = size * 16 + static_cast<uint64_t>(hex_digit(line_[digits++]));
  }
  const std::string_view rest = std::string_view(line_).substr(digits);
  if (digits == 0 || (!rest.empty() && !trim(rest).starts_with(';')) || !is_field_value(rest))
    return broken("The size of a chunk is not a hexadecimal number.");
  line_.clear();
  left_ = size;
  state_ = size == 0 ? State::trailers : State::chunk_data;
  return true;
}

bool BodyDecoder::trailer_line() {
  if (line_.empty()) {
    state_ = State::done;
    line_.shrink_to_fit();
    return true;
  }
  trailer_bytes_ += line_.size();
  if (trailer_bytes_ > trailers_max) return broken("The fields after the body are too large.");
  Headers dropped;
  line_.append("\r\n");
  if (parse_fields(line_, dropped)) return broken("A field after the body is not 'Name: value'.");
  line_.clear();
  return true;
}

bool BodyDecoder::broken(const char* problem) {
  problem_ = problem;
  return false;
}

}  // namespace headrace::net
