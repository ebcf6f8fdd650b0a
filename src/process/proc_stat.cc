#include "process/proc_stat.h"

#include <fcntl.h>

#include <array>
#include <charconv>

#include "process/descriptor.h"

namespace headrace::process {
namespace {

// Files of /proc come whole from one read; what we want of them is short.
std::string read_short(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return {};
  std::array<char, 1024> text{};
  const ssize_t length = ::read(file.get(), text.data(), text.size());
  return length > 0 ? std::string(text.data(), static_cast<size_t>(length)) : std::string();
}

std::string_view next_field(std::string_view& rest) {
  const size_t end = rest.find(' ');
  const auto field = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return field;
}

}  // namespace

std::optional<ProcStat> parse_proc_stat(std::string_view line) {
  constexpr int fields_between_state_and_start_time = 18;  // 4 to 21
  const size_t name_end = line.rfind(')');
  if (name_end == std::string_view::npos || line.size() < name_end + 3) return std::nullopt;
  auto rest = line.substr(name_end + 2);
  ProcStat stat;
  const auto state = next_field(rest);
  if (state.size() != 1) return std::nullopt;
  stat.state = state.front();
  for (int skipped = 0; skipped < fields_between_state_and_start_time; ++skipped) next_field(rest);
  const auto field = next_field(rest);
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), stat.start_time);
  if (error != std::errc{} || end != field.data() + field.size()) return std::nullopt;
  return stat;
}

std::optional<ProcStat> read_proc_stat(pid_t pid) {
  return parse_proc_stat(read_short("/proc/" + std::to_string(pid) + "/stat"));
}

std::string read_boot_id() {
  auto text = read_short("/proc/sys/kernel/random/boot_id");
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace headrace::process
