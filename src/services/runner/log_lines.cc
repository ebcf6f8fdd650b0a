#include "services/runner/log_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace headrace::runner {

namespace {

// Always six digits of fraction, so that the text of every line begins at the same place.
std::string stamp(core::Time time) {
  auto whole = std::chrono::floor<std::chrono::seconds>(time);
  auto text = core::format_time(whole);
  auto micros = std::chrono::duration_cast<std::chrono::microseconds>(time - whole).count();
  return fmt::format("{}.{:06}Z", std::string_view(text).substr(0, text.size() - 1), micros);
}

}  // namespace

void LogLines::begin_step(int64_t number) {
  end();
  step_ = number;
}

void LogLines::refresh_prefix() { prefix_ = fmt::format("{} {} ", stamp(clock_.now()), step_); }

void LogLines::put(std::string_view text) {
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  do {
    auto part = text.substr(0, log_line_max);
    size_t before = out_.size();
    size_t after = before + prefix_.size() + part.size() + 1;
    if (after > out_.capacity()) out_.reserve(std::max(after, 2 * out_.capacity()));
    out_.resize_and_overwrite(after, [&](char* bytes, size_t count) {  // a million lines a second come through here
      char* at = std::copy(prefix_.begin(), prefix_.end(), bytes + before);
      *std::copy(part.begin(), part.end(), at) = '\n';
      return count;
    });
    text.remove_prefix(part.size());
  } while (!text.empty());
}

void LogLines::add(std::string_view bytes) {
  refresh_prefix();  // one look at the clock for all lines that came together
  while (!bytes.empty()) {
    const void* found = std::memchr(bytes.data(), '\n', bytes.size());
    if (!found) break;
    auto length = static_cast<size_t>(static_cast<const char*>(found) - bytes.data());
    if (rest_.empty()) {
      put(bytes.substr(0, length));
    } else {
      rest_.append(bytes.substr(0, length));
      put(std::exchange(rest_, {}));
    }
    bytes.remove_prefix(length + 1);
  }
  rest_.append(bytes);
  if (rest_.size() >= log_line_max) put(std::exchange(rest_, {}));
}

void LogLines::line(std::string_view text) {
  end();
  refresh_prefix();
  put(text);
}

void LogLines::end() {
  if (rest_.empty()) return;
  refresh_prefix();
  put(std::exchange(rest_, {}));
}

std::string LogLines::take() { return std::exchange(out_, {}); }

}  // namespace headrace::runner
