#include "core/result.h"

#include <cerrno>
#include <cstring>
#include <utility>

namespace headrace::core {

std::string_view name_of(Code code) {
  switch (code) {
    case Code::invalid: return "invalid";
    case Code::unauthenticated: return "unauthenticated";
    case Code::denied: return "denied";
    case Code::not_found: return "not_found";
    case Code::conflict: return "conflict";
    case Code::exhausted: return "exhausted";
    case Code::unavailable: return "unavailable";
    case Code::corrupt: return "corrupt";
  }
  return "unknown";
}

std::unexpected<Error> fail(Code code, std::string message, std::string detail) {
  return std::unexpected<Error>(std::in_place, code, std::move(message), std::move(detail));
}

std::unexpected<Error> pass_on(Error error, std::string_view doing) {
  if (!error.detail.empty()) error.detail.append("; ");
  error.detail.append("while ").append(doing);
  return std::unexpected<Error>(std::move(error));
}

Error error_of_errno(int number, std::string_view doing, std::string_view path) {
  Code code = Code::unavailable;
  if (number == ENOSPC || number == EDQUOT || number == EMFILE || number == ENFILE) code = Code::exhausted;
  if (number == ENOENT || number == ENOTDIR) code = Code::not_found;
  if (number == EACCES || number == EPERM) code = Code::denied;
  if (number == EEXIST) code = Code::conflict;
  char text[128];
  const char* reason = strerror_r(number, text, sizeof text);
  std::string message = std::string(doing) + " failed";
  if (!path.empty()) message.append(" for ").append(path);
  message.append(": ").append(reason).append(".");
  return Error{code, std::move(message), "errno " + std::to_string(number)};
}

void require(bool holds, const char* invariant) {
  if (!holds) throw BrokenInvariant(invariant);
}

}  // namespace headrace::core
