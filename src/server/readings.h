// Which events an answer shows, and a reading that waits for one, so that who hears events and reads what they changed
// has neither to guess nor to ask twice (docs/adr/0025-answers-say-what-they-show.md).
//
// X-Headrace-Offset, of a whole answer below /api/: to GET and HEAD, all events up to this offset are shown (more may
// be); to a command, what it did is told by events up to this offset. Not said with ?at=, which says it itself, while a
// projection is stopped or being made anew, and where nobody need sign in.
// X-Headrace-After, of a GET or HEAD: an offset. The answer waits until all events up to it are shown, shown_wait_max
// at most: a reading that is behind is better than none, and its X-Headrace-Offset tells. What the log does not hold
// yet is not waited for.
#pragma once

#include <chrono>

#include "server/platform.h"
#include "server/router.h"

namespace headrace::server {

inline constexpr std::chrono::seconds shown_wait_max{2};

// What the answer will say, as it is known before the action begins.
class Shown {
 public:
  Shown() = default;  // says nothing
  static Shown reading(std::optional<store::Offset> offset);
  static Shown command();

  void say(const Platform& platform, net::Response& answer) const;

 private:
  enum class Kind { nothing, reading, command } kind_ = Kind::nothing;
  store::Offset offset_ = 0;
};

// Waits for what X-Headrace-After wants. invalid: it is no offset.
core::Task<core::Result<Shown>> shown_by(Platform& platform, const Route& route, const net::Request& request);

}  // namespace headrace::server
