// Findings are what a job has to tell besides its log and its end: test reports and summaries of steps. Each is a file
// of the job's until the server has said that it has it, so neither a broken connection nor a killed runner loses one:
//
//   FOLDER/<token>/found/<number>   a message of the runner protocol, as it is sent
//
// Numbers go up from 1 in the order of finding. The files are not synced: they outlive this process, and after a power
// cut the job is lost as a whole. Loop only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/disk.h"
#include "core/result.h"
#include "services/runner/protocol.h"

namespace headrace::runner {

inline constexpr uint64_t findings_bytes_max = uint64_t{256} << 20;  // kept at once of one job; beyond it: exhausted
inline constexpr size_t findings_in_flight_max = 4;                  // sent, and not with the server yet

class Findings {
 public:
  Findings(core::Disk& disk, std::string folder) : disk_(disk), folder_(std::move(folder)) {}

  // Kept when it returns; they are given their numbers.
  core::Result<> keep(Reported report);
  core::Result<> keep(Summary summary);
  // What a killed process left; what it left half written is nothing.
  core::Result<> recover();

  bool empty() const { return kept_.empty(); }
  bool has_next() const;
  // The next message to send, which then counts as sent. not_found: there is none. Another error: it cannot be read
  // back, and is forgotten.
  core::Result<std::string> next();
  void forget(int64_t number);  // the server has it, or will never have it
  void again(int64_t number);   // the server could not keep it: to be sent once more
  void connection_lost();       // nothing counts as sent

 private:
  struct Kept {
    uint64_t bytes = 0;
    bool sent = false;
  };
  core::Result<> keep(int64_t number, const std::string& text);
  std::string path_of(int64_t number) const { return folder_ + "/" + std::to_string(number); }

  core::Disk& disk_;
  std::string folder_;
  std::map<int64_t, Kept> kept_;
  uint64_t bytes_ = 0;
  size_t in_flight_ = 0;
  int64_t next_ = 1;
};

}  // namespace headrace::runner
