#include "cli/exec_variables.h"

#include <algorithm>

#include "core/disk.h"
#include "services/runner/job_context.h"

namespace headrace::cli {

using core::Code;
using core::Result;

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_of_name(char c) { return is_letter(c) || (c >= '0' && c <= '9'); }

class Reader {
 public:
  Reader(std::string_view text, const std::string& file) : text_(text), file_(file) {
    if (text_.starts_with("\xef\xbb\xbf")) text_.remove_prefix(3);  // a byte order mark
  }

  Result<runner::Variables> all() {
    runner::Variables variables;
    while (true) {
      skip_to_entry();
      if (at_ >= text_.size()) return variables;
      auto name = read_name();
      if (!name) return std::unexpected(name.error());
      auto value = read_value(*name);
      if (!value) return std::unexpected(value.error());
      runner::set(variables, std::move(*name), std::move(*value));
    }
  }

 private:
  char here() const { return at_ < text_.size() ? text_[at_] : '\n'; }
  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }
  void skip_line() { at_ = std::min(text_.find('\n', at_), text_.size()); }
  void skip_to_entry() {
    while (at_ < text_.size()) {
      skip_blanks();
      if (here() == '#') skip_line();
      if (at_ >= text_.size() || here() != '\n') return;
      ++at_;
    }
  }

  std::unexpected<core::Error> wrong(size_t at, const std::string& what) const {
    auto before = text_.substr(0, at);
    auto line = static_cast<size_t>(std::count(before.begin(), before.end(), '\n')) + 1;
    auto column = at - (before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1) + 1;
    return core::fail(Code::invalid, file_ + ":" + std::to_string(line) + ":" + std::to_string(column) + ": " + what);
  }

  std::string_view word() {
    size_t from = at_;
    while (at_ < text_.size() && is_of_name(text_[at_])) ++at_;
    return text_.substr(from, at_ - from);
  }

  Result<std::string> read_name() {
    size_t from = at_;
    auto name = word();
    if (name == "export" && is_blank(here())) {
      skip_blanks();
      from = at_;
      name = word();
    }
    if (name.empty() || !is_letter(name[0]))
      return wrong(from, "A name is expected: letters, digits and _, not a digit first, as in NAME=value.");
    skip_blanks();
    if (here() != '=') return wrong(at_, "'=' is expected behind the name '" + std::string(name) + "'.");
    ++at_;
    skip_blanks();
    return std::string(name);
  }

  Result<std::string> read_value(const std::string& name) {
    char quote = here();
    if (quote != '"' && quote != '\'') return plain();
    size_t from = at_++;
    std::string value;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (quote == '"' && text_[at_] == '\\' && at_ + 1 < text_.size())
        value += escaped(text_[++at_]);
      else
        value += text_[at_];
      ++at_;
    }
    if (at_ >= text_.size()) return wrong(from, "The quote that begins the value of " + name + " is never closed.");
    ++at_;
    skip_blanks();
    if (here() != '\n' && here() != '#')
      return wrong(at_, "Nothing but a comment may follow the closing quote of " + name + ".");
    return value;
  }

  static std::string escaped(char c) {
    switch (c) {
      case 'n': return "\n";
      case 'r': return "\r";
      case 't': return "\t";
      case '"':
      case '\\':
      case '$': return std::string(1, c);
      default: return std::string("\\") + c;
    }
  }

  std::string plain() {
    size_t from = at_;
    skip_line();
    std::string_view value = text_.substr(from, at_ - from);
    for (size_t i = 0; i < value.size(); ++i)
      if (value[i] == '#' && (i == 0 || is_blank(value[i - 1]))) value = value.substr(0, i);
    while (!value.empty() && is_blank(value.back())) value.remove_suffix(1);
    return std::string(value);
  }

  std::string_view text_;
  const std::string& file_;
  size_t at_ = 0;
};

}  // namespace

Result<runner::Variables> parse_variables(std::string_view text, const std::string& file) {
  return Reader(text, file).all();
}

Result<runner::Variables> read_variables(const std::string& path) {
  if (path.empty()) return runner::Variables();
  core::SystemDisk disk;
  auto text = core::read_file(disk, path, variables_file_bytes_max);
  if (!text) return std::unexpected(text.error());
  return parse_variables(*text, path);
}

}  // namespace headrace::cli
