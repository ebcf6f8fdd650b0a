#include "archive/archive.h"

namespace headrace::archive {

std::optional<std::string> safe_name(std::string_view name) {
  if (name.empty() || name.size() > name_bytes_max || name.contains('\0')) return std::nullopt;
  std::string slashed;
  for (char c : name) slashed.push_back(c == '\\' ? '/' : c);
  if (slashed.front() == '/' || (slashed.size() > 1 && slashed[1] == ':')) return std::nullopt;
  std::string safe;
  for (std::string_view rest = slashed; !rest.empty();) {
    auto end = rest.find('/');
    auto part = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (part == "..") return std::nullopt;
    if (part.empty() || part == ".") continue;
    if (!safe.empty()) safe.push_back('/');
    safe.append(part);
  }
  if (safe.empty()) return std::nullopt;
  return safe;
}

}  // namespace headrace::archive
