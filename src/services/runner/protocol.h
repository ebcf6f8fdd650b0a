// What server and runner say to each other over one WebSocket: text messages are JSON objects with a "type", binary
// ones are pieces of a job's log. docs/runner-protocol.md has an example of each.
//
// A token names a lease: it is the log offset of its job.leased, so a later lease of the same job has a greater one.
// Whoever speaks of a job with a token that is not the current one is told `stale`, and drops the job.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/result.h"
#include "events/runner.h"
#include "events/tests.h"
#include "services/runner/job_spec.h"

namespace headrace::runner {

inline constexpr int64_t protocol_version = 1;
inline constexpr std::string_view subprotocol = "headrace-runner.1";
inline constexpr size_t log_piece_max = 256 * 1024;  // bytes of log in one binary message
inline constexpr size_t message_bytes_max = 2 * 1024 * 1024;

using Token = uint64_t;

// ---- runner to server
struct Hello {
  std::string runner;    // name
  std::string instance;  // of this process: two processes under one name are told apart
  int64_t slots = 1;     // jobs at once
  std::vector<std::pair<std::string, std::string>> labels;  // label, executor
  std::vector<Token> jobs;                                  // that it has: running, or ended and not settled
  bool operator==(const Hello&) const = default;
};
struct Renew {
  std::vector<Token> jobs;
  bool operator==(const Renew&) const = default;
};
struct StepChanged {
  Token token = 0;
  int64_t number = 0;
  std::string name;
  std::optional<events::Conclusion> conclusion;         // nothing: it has begun
  std::vector<events::JobAnnotation> annotations = {};  // of it so far; Finished has those of the whole job
  bool operator==(const StepChanged&) const = default;
};
struct Begin {  // may the first step of a restricted job begin? It waits for Begun
  Token token = 0;
  bool operator==(const Begin&) const = default;
};
struct Reported {  // a test report was found after a step; said again until Told: twice is once
  Token token = 0;
  int64_t step = 0;
  std::string file;
  events::TestTotals totals;
  int64_t told = 0;                // cases in the parts
  std::vector<std::string> parts;  // report::pack, as base64
  int64_t number = 0;              // of what is found in the job, from 1; 0: nobody waits for Told
  bool operator==(const Reported&) const = default;
};
struct Summary {  // what a step wrote to GITHUB_STEP_SUMMARY; said again until Told: twice is once
  Token token = 0;
  int64_t number = 0;  // counted with the reports
  int64_t step = 0;
  std::string markdown;  // masked; in the message as base64
  bool operator==(const Summary&) const = default;
};
struct Lost {  // the process that had the job is gone, and this is its successor: all that it left has been said
  Token token = 0;
  std::string reason;
  bool operator==(const Lost&) const = default;
};
struct Finished {
  Token token = 0;
  events::Conclusion conclusion = events::Conclusion::success;
  std::string errors;
  std::vector<events::StepResult> steps;
  uint64_t log_bytes = 0;  // sent before this
  uint64_t log_lines = 0;
  std::vector<events::JobOutput> outputs = {};
  std::vector<events::JobAnnotation> annotations = {};
  std::string environment_url = {};
  bool operator==(const Finished&) const = default;
};

// ---- server to runner
struct Welcome {
  int64_t renew_seconds = 10;
  bool operator==(const Welcome&) const = default;
};
struct Run {
  Token token = 0;
  std::string job, run, repository, name, executor;
  int64_t attempt = 1;
  bool restricted = false;  // begins only once the server has said Begun
  std::string spec;
  std::string event = "{}";  // github.event, JSON text
  JobGrant grant = {};       // in this message alone, never in an event; hidden in the log
  bool operator==(const Run&) const = default;
};
struct Begun {  // that the job has begun is on the event log: whatever happens now, it is not tried again by itself
  Token token = 0;
  bool operator==(const Begun&) const = default;
};
struct Cancel {
  Token token = 0;
  std::string reason;
  bool forced = false;  // at once, or in good order
  bool operator==(const Cancel&) const = default;
};
struct Stale {
  Token token = 0;
  std::string reason;
  bool operator==(const Stale&) const = default;
};
struct LogHave {
  Token token = 0;
  uint64_t bytes = 0;   // of the log are here
  bool resend = false;  // send on from there, whatever was sent before, and say Finished again
  bool operator==(const LogHave&) const = default;
};
struct Told {  // of a report or a summary
  Token token = 0;
  int64_t number = 0;
  bool again = false;  // it could not be kept: say it once more. Else it is durable, or will never be wanted
  bool operator==(const Told&) const = default;
};
struct Settled {  // the end is on the event log: forget the job
  Token token = 0;
  bool operator==(const Settled&) const = default;
};
struct Drain {  // take no more jobs, and end when those at hand are done
  bool operator==(const Drain&) const = default;
};
struct Refused {  // of the whole connection
  std::string reason;
  bool operator==(const Refused&) const = default;
};

using Message = std::variant<Hello, Renew, StepChanged, Begin, Finished, Welcome, Run, Begun, Cancel, Stale, LogHave,
                             Settled, Drain, Refused, Reported, Summary, Lost, Told>;

std::string encode(const Message& message);
core::Result<Message> decode(std::string_view text);  // invalid: what is wrong

// A binary message: token and offset, 8 bytes each, big-endian, then the bytes of the log from that offset on.
struct LogPiece {
  Token token = 0;
  uint64_t offset = 0;
  std::string_view bytes;  // of the message it was decoded from
};
std::string encode_log(Token token, uint64_t offset, std::string_view bytes);
core::Result<LogPiece> decode_log(std::string_view message);

}  // namespace headrace::runner
