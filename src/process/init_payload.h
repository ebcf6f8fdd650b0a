// The payload of a run (init_protocol.h), taken apart: the words stand where they were, so nothing is copied. Of the C
// library alone, for the init; bytes of any kind are refused or read within their bounds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "process/init_protocol.h"

namespace headrace::process::init {

// What run asks for, pointing into its payload.
struct Wanted {
  char* text = nullptr;
  size_t bytes = 0;
  const char* directory = nullptr;
  char** arguments = nullptr;    // ended by a null, as execve wants it
  char** environment = nullptr;  // likewise
};

// `text` and `bytes` are there. False: it is no payload. forget_words() either way.
inline bool take_apart(Wanted& wanted) {
  Payload counts;
  if (wanted.bytes <= sizeof counts || wanted.bytes > payload_bytes_max || wanted.text[wanted.bytes - 1] != '\0')
    return false;
  memcpy(&counts, wanted.text, sizeof counts);
  if (counts.arguments == 0 || counts.arguments > words_max || counts.environment > words_max) return false;
  wanted.arguments = static_cast<char**>(calloc(counts.arguments + size_t{1}, sizeof(char*)));
  wanted.environment = static_cast<char**>(calloc(counts.environment + size_t{1}, sizeof(char*)));
  if (wanted.arguments == nullptr || wanted.environment == nullptr) return false;
  char* at = wanted.text + sizeof counts;
  char* end = wanted.text + wanted.bytes;
  auto next = [&at, end]() -> char* {
    if (at >= end) return nullptr;
    char* word = at;
    at += strlen(at) + 1;
    return word;
  };
  wanted.directory = next();
  for (uint32_t i = 0; i < counts.arguments; ++i) wanted.arguments[i] = next();
  for (uint32_t i = 0; i < counts.environment; ++i) wanted.environment[i] = next();
  return at == end && wanted.arguments[counts.arguments - 1] != nullptr &&
         (counts.environment == 0 || wanted.environment[counts.environment - 1] != nullptr);
}

inline void forget_words(Wanted& wanted) {
  free(wanted.arguments);
  free(wanted.environment);
  wanted.arguments = wanted.environment = nullptr;
}

}  // namespace headrace::process::init
