#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "cli/ask.h"
#include "core/disk.h"

namespace headrace::cli {

using core::Code;

namespace {

constexpr size_t input_max = 8 * 1024 * 1024;

// Characters, not bytes, so that columns stay straight with names in any script.
size_t width_of(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

core::Result<std::string> read_standard_input() {
  std::string text;
  char buffer[64 * 1024];
  while (true) {
    ssize_t got = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(core::error_of_errno(errno, "Reading the standard input"));
    if (got == 0) return text;
    text.append(buffer, static_cast<size_t>(got));
    if (text.size() > input_max) return core::fail(Code::exhausted, "The standard input holds more than 8 MiB.");
  }
}

}  // namespace

int exit_code_of(Code code) {
  switch (code) {
    case Code::invalid:
    case Code::not_found:
    case Code::conflict: return 1;
    case Code::unauthenticated:
    case Code::denied:
    case Code::exhausted:
    case Code::unavailable:
    case Code::corrupt: return 3;
  }
  return 3;
}

void print(std::string_view text) {
  while (!text.empty()) {
    ssize_t put = ::write(STDOUT_FILENO, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return;  // who read it has gone
    text.remove_prefix(static_cast<size_t>(put));
  }
}

void print_line(std::string_view text) { print(std::string(text) + "\n"); }

void print_json(const core::json::value& value) { print_line(core::to_text(value)); }

int report(const core::Error& error, bool json) {
  if (json)
    print_json(core::json::object{{"error", {{"code", core::name_of(error.code)}, {"message", error.message}}}});
  std::string line = "headrace: " + error.message + "\n";
  [[maybe_unused]] auto put = ::write(STDERR_FILENO, line.data(), line.size());
  return exit_code_of(error.code);
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text.append(widths[i] - width_of(row[i]) + 2, ' ');
    }
    text += '\n';
  }
  return text;
}

core::Result<std::string> read_input(const std::string& path) {
  if (path == "-") return read_standard_input();
  core::SystemDisk disk;
  return core::read_file(disk, path, input_max);
}

std::string words(const core::json::value& value, std::string_view key) {
  auto text = core::string_at(value, key);
  return text && !text->empty() ? *text : "-";
}

std::string number(const core::json::value& value, std::string_view key) {
  auto found = core::integer_at(value, key);
  return found ? std::to_string(*found) : "-";
}

}  // namespace headrace::cli
