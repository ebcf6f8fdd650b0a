// Failures that belong to ordinary days are values: Result<T> holds the value or an Error. Exceptions are for what no
// caller handles: cancellation, surprises, and broken invariants (require).
#pragma once

#include <expected>
#include <stdexcept>
#include <string>
#include <string_view>

namespace headrace::core {

// What the caller can do about a failure. HTTP statuses and exit codes are derived from it, in one table each.
enum class Code {
  invalid,          // the request itself is wrong: mend it
  unauthenticated,  // nobody is signed in, or the credential is not good: sign in
  denied,           // this actor may not: ask for the right
  not_found,        // there is no such thing, or none that this actor may see
  conflict,         // the world has moved, or the thing exists: look again
  exhausted,        // a bound was hit: wait, or ask for less
  unavailable,      // not now: try again later
  corrupt,          // stored data is damaged: an operator must look
};

std::string_view name_of(Code code);

struct Error {
  Code code = Code::unavailable;
  std::string message;  // for the person who asked; full sentences that name the place, the reason and the remedy
  std::string detail;   // for the operator's diagnostics: paths, offsets, the cause underneath; never shown to users

  bool operator==(const Error&) const = default;
};

template <class T = void>
using Result = std::expected<T, Error>;

std::unexpected<Error> fail(Code code, std::string message, std::string detail = {});

// The same failure, one floor up: `doing` ("appending an event") is added to the detail.
std::unexpected<Error> pass_on(Error error, std::string_view doing);

// errno as an Error: full disks are exhausted, missing files not_found, everything else unavailable.
Error error_of_errno(int number, std::string_view doing, std::string_view path = {});

// An invariant of our own code does not hold. Thrown by require, in release builds too.
struct BrokenInvariant : std::logic_error {
  using std::logic_error::logic_error;
};

void require(bool holds, const char* invariant);

}  // namespace headrace::core
