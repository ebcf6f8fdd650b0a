// What a runner and the init within a sandbox or container say to each other: one packet a message, over a Unix socket
// of type SOCK_SEQPACKET, both of one machine and one build. The init is pid 1 of a job; a further step of it costs one
// packet and a vfork. Plain numbers only, so that the init needs no more than the C library. docs/sandbox.md.
#pragma once

#include <cstddef>
#include <cstdint>

namespace headrace::process::init {

inline constexpr uint32_t magic = 0x48524931;  // "HRI1": the protocol and its version; another one is refused
inline constexpr size_t payload_bytes_max = size_t{16} << 20;  // arguments and environment of one run
inline constexpr size_t words_max = 65'536;                    // likewise
inline constexpr size_t runs_max = 1'024;                      // processes at a time; beyond it run fails with EAGAIN
inline constexpr size_t descriptors_max = 4;                   // that come with a message
inline constexpr int control = 3;                              // the descriptor of the init's end

enum class Kind : uint32_t {
  // To the init.
  run = 1,       // id, flags; descriptors: payload (a file), in, out, err
  signal,        // id, number
  signal_group,  // id, number
  listen,        // id, number: port or 0 for any; answered by listening
  end,           // everything is killed, then `ended` is said and the init ends
  // From the init.
  ready = 16,       // descriptor: the tap device, where one was asked for; value: why there is none, an errno
  started,          // id, number: the pid within
  failed,           // id, number: errno, value: Stage
  exited,           // id, number: code, value: signal or 0, processor: microseconds, memory: bytes at most
  listening,        // id, number: port or 0, value: errno; descriptor: the socket where there is one
  memory_exceeded,  // value: bytes in use when everything was killed (the watch, where no cgroup bounds memory)
  ended,
};

enum class Stage : uint32_t { payload = 1, directory, program, process };

inline constexpr uint32_t keep_leftovers = 1;  // flag of run: its group lives on when it ends

struct Message {
  uint32_t magic = init::magic;
  Kind kind = Kind::end;
  uint32_t id = 0;  // of a run, chosen by the runner, not 0, used once
  uint32_t number = 0;
  uint32_t flags = 0;
  uint32_t value = 0;
  uint64_t processor = 0;
  uint64_t memory = 0;
};
static_assert(sizeof(Message) == 40);

// The payload of run: this, then `words` strings, each ended by a NUL: the working directory, the arguments, the
// environment.
struct Payload {
  uint32_t arguments = 0;
  uint32_t environment = 0;
};

}  // namespace headrace::process::init
