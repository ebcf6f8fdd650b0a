// What the launcher within headrace-init ("make") is told to do, one step after the other: a file of these, written by
// the runner of the same build (Sandbox::start). Plain numbers and bytes, so that the init needs the C library alone;
// it refuses what is not whole. docs/sandbox.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace headrace::process::init {

inline constexpr int steps_file = 4;  // the descriptor that they come by
inline constexpr size_t steps_bytes_max = size_t{16} << 20;
inline constexpr int mounts_max = 256;
inline constexpr unsigned user_inside = 1001;  // "runner", as on GitHub's machines; its group as well

enum class StepKind : uint32_t {
  hostname = 1,  // text
  loopback,      // up, in the new network name space
  uplink,        // there as well: a tap device (uplink.h), lent to the runner with `ready`
  mount,         // text: what of the host, shown at `place`; flags
  file,          // at `place`, number: its mode; text: what it holds
  link,          // at `place`, text: where it leads
  processes,     // /proc
  devices,       // /dev, its nodes and terminals; number: bytes of /dev/shm
  directory,     // text: where the init stands, at the end
  filter,        // text: instructions of seccomp(2), set last of all; without one nothing is made
};

inline constexpr uint32_t mount_writable = 1, mount_device = 2, mount_if_there = 4;

// Then `place_bytes` of the place and `text_bytes` of the text, both with a NUL that counts.
struct Step {
  StepKind kind = StepKind::filter;
  uint32_t flags = 0;
  uint64_t number = 0;
  uint32_t place_bytes = 0;
  uint32_t text_bytes = 0;
};
static_assert(sizeof(Step) == 24);

struct StepRead {
  Step step;
  const char* place = nullptr;
  const char* text = nullptr;
  size_t bytes = 0;  // of the text, without its NUL
};

// The step at `at`, which moves on behind it; false at the end, and where the rest is not whole (then at != bytes).
inline bool next_step(const char* steps, size_t bytes, size_t& at, StepRead& read) {
  if (at > bytes || bytes - at < sizeof(Step)) return false;
  memcpy(&read.step, steps + at, sizeof(Step));
  size_t rest = bytes - at - sizeof(Step);
  size_t place = read.step.place_bytes, text = read.step.text_bytes;
  if (place == 0 || text == 0 || place > rest || text > rest - place) return false;
  read.place = steps + at + sizeof(Step);
  read.text = read.place + place;
  read.bytes = text - 1;
  if (read.place[place - 1] != '\0' || read.text[text - 1] != '\0') return false;
  at += sizeof(Step) + place + text;
  return true;
}

}  // namespace headrace::process::init
