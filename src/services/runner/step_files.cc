#include "services/runner/step_files.h"

#include <optional>

#include "core/beginning.h"
#include "core/bytes.h"

namespace headrace::runner {

using core::Code;
using core::Result;

namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

// Lines end with LF; a CR before it belongs to the line, as on GitHub's Linux runners.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}
  std::optional<std::string_view> next() {
    if (at_ >= text_.size()) return std::nullopt;
    size_t end = text_.find('\n', at_);
    ended_ = end != std::string_view::npos;
    auto line = text_.substr(at_, ended_ ? end - at_ : end);
    at_ = ended_ ? end + 1 : text_.size();
    return line;
  }
  size_t at() const { return at_; }
  bool ended() const { return ended_; }  // the last line had its LF
  std::string_view between(size_t begin, size_t end) const { return text_.substr(begin, end - begin); }

 private:
  std::string_view text_;
  size_t at_ = 0;
  bool ended_ = false;
};

std::unexpected<core::Error> wrong(std::string message) { return core::fail(Code::invalid, std::move(message)); }

std::string shown(std::string_view line) {
  return "'" + core::to_valid_utf8(std::string(core::beginning(line, 200))) + "'";
}

Result<std::string> read_until(Lines& lines, std::string_view delimiter) {
  size_t begin = lines.at(), end = begin;
  while (true) {
    auto line = lines.next();
    if (!line) return wrong("Invalid value. Matching delimiter not found " + shown(delimiter));
    if (*line == delimiter) break;
    if (!lines.ended()) return wrong("Invalid value. EOF marker missing new line.");
    end = lines.at() - 1;
  }
  return std::string(lines.between(begin, end));
}

}  // namespace

Result<Variables> parse_values_file(std::string_view text) {
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  Lines lines(text);
  Variables values;
  while (auto line = lines.next()) {
    if (line->empty()) continue;
    if (values.size() >= step_file_values_max)
      return core::fail(Code::exhausted,
                        "The file holds more than " + std::to_string(step_file_values_max) + " values.");
    size_t equals = line->find('='), heredoc = line->find("<<");
    if (equals < heredoc) {
      if (equals == 0) return wrong("Invalid format " + shown(*line) + ". Name must not be empty");
      values.emplace_back(line->substr(0, equals), line->substr(equals + 1));
    } else if (heredoc < equals) {
      auto name = line->substr(0, heredoc), delimiter = line->substr(heredoc + 2);
      if (name.empty() || delimiter.empty())
        return wrong("Invalid format " + shown(*line) + ". Name must not be empty and delimiter must not be empty");
      auto value = read_until(lines, delimiter);
      if (!value) return std::unexpected(value.error());
      values.emplace_back(name, std::move(*value));
    } else {
      return wrong("Invalid format " + shown(*line));
    }
  }
  return values;
}

std::vector<std::string> parse_path_file(std::string_view text) {
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  Lines lines(text);
  std::vector<std::string> paths;
  while (auto line = lines.next()) {
    if (line->ends_with('\r')) line->remove_suffix(1);
    if (!line->empty() && paths.size() < step_file_values_max) paths.emplace_back(*line);
  }
  return paths;
}

}  // namespace headrace::runner
