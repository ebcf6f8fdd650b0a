// rooms: runner
// Any bytes as a message between runner and server, as a piece of log and as the specification of a job: read, or
// refused with a sentence. What was read is written the same way again; printed as a step's output it becomes whole
// lines.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "services/runner/job_spec.h"
#include "services/runner/log_lines.h"
#include "services/runner/protocol.h"

namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace runner = headrace::runner;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto message = runner::decode(text);
  check(message || !message.error().message.empty());
  if (message) {
    auto again = runner::decode(runner::encode(*message));
    check(again && *again == *message);
  }
  if (auto piece = runner::decode_log(text))
    check(runner::encode_log(piece->token, piece->offset, piece->bytes) == text);
  auto spec = runner::parse_job_spec(text);
  check(spec || !spec.error().message.empty());
  headrace::core::SystemClock clock;
  runner::LogLines lines(clock);
  lines.begin_step(1);
  lines.add(text.substr(0, size / 2));
  lines.add(text.substr(size / 2));
  lines.end();
  auto printed = lines.take();
  check(printed.empty() == text.empty() && (printed.empty() || printed.back() == '\n'));
  return 0;
}
