// Gunzip unpacks a body that comes gzip-encoded, part by part, and never to more than it was allowed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "core/result.h"

namespace headrace::git {

class Gunzip {
 public:
  Gunzip();
  ~Gunzip();
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;

  struct Step {
    size_t taken = 0;  // of `packed`
    size_t made = 0;   // into `unpacked`
    bool ended = false;
  };
  // Takes and makes what fits. invalid: this is no gzip, or it is damaged.
  core::Result<Step> step(std::span<const std::byte> packed, std::span<std::byte> unpacked);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace headrace::git
