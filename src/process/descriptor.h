// A file descriptor with one owner.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace headrace::process {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      reset();
      number_ = std::exchange(other.number_, -1);
    }
    return *this;
  }
  ~Descriptor() { reset(); }

  int get() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }
  int release() { return std::exchange(number_, -1); }
  void reset() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }

 private:
  int number_ = -1;
};

// Where the system does not grant it (a user's pipes may hold 64 MiB together), the pipe stays as it is.
inline void widen_pipe(int end, int bytes) { [[maybe_unused]] int holds = ::fcntl(end, F_SETPIPE_SZ, bytes); }

// What the pipe of a job's output holds: with the 64 KiB that one comes with, a program that prints a lot and whoever
// reads it wake each other four times as often.
inline constexpr int output_pipe_bytes = 256 * 1024;

}  // namespace headrace::process
