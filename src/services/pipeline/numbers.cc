#include "services/pipeline/numbers.h"

#include "core/bytes.h"

namespace headrace::pipeline {

std::string numbers_key(std::string_view repository) { return "numbers/" + std::string(repository); }
std::string run_key(std::string_view run) { return "run/" + std::string(run); }

std::string derived_uuid(std::string_view kind, std::string_view of, std::string_view name) {
  std::string text;  // parts by their lengths, so that no two lists of parts give the same text
  for (std::string_view part : {kind, of, name}) text.append(std::to_string(part.size())).append(":").append(part);
  auto bytes = core::sha256(core::as_bytes(text));
  bytes[6] = (bytes[6] & std::byte{0x0f}) | std::byte{0x80};
  bytes[8] = (bytes[8] & std::byte{0x3f}) | std::byte{0x80};
  std::string id = core::to_hex(std::span(bytes).first(16));
  for (size_t dash : {8U, 13U, 18U, 23U}) id.insert(dash, 1, '-');
  return id;
}

std::string job_uuid(std::string_view run, int64_t run_attempt, std::string_view key) {
  return derived_uuid("job/" + std::to_string(run_attempt), run, key);
}

}  // namespace headrace::pipeline
