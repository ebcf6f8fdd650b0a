// Workshop is where one `exec` works, outside of the user's folder, and alone in it:
//
//   CACHE/exec/ID/<number>/job/...   a job: its workspace, its temporary files
//   CACHE/exec/ID/snapshot.git       the folder at hand as jobs check it out
//   CACHE/exec/ID.lock               held while its exec lives
//   CACHE/exec/lock                  held for moments: while one is made, and while leftovers are looked for
//   CACHE/kept/N/actions             mirrors of actions' repositories; kept, each for one exec at a time
//   CACHE/summaries/ID/JOB.md        what steps wrote to GITHUB_STEP_SUMMARY, of the newest runs
//
// CACHE is $XDG_CACHE_HOME/headrace, or ~/.cache/headrace. What a killed exec left is found by its lock, which nobody
// holds: processes of its jobs are ended, and its folder is removed by the next one that opens a workshop.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/disk.h"
#include "core/result.h"
#include "core/task.h"

namespace headrace::cli {

inline constexpr int kept_folders_max = 64;   // mirrors used at once: more execs than that wait for nobody, but fetch
inline constexpr size_t summaries_kept = 20;  // execs whose step summaries are kept

class Workshop {
 public:
  // `cache` is absolute. Errors: what the disk says.
  static core::Result<std::unique_ptr<Workshop>> open(core::Loop& loop, core::Disk& disk, const std::string& cache,
                                                      std::string id);
  ~Workshop();  // removes its folder
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;

  const std::string& folder() const { return folder_; }
  std::string actions() const { return kept_ + "/actions"; }
  std::string artifacts() const { return kept_ + "/artifacts"; }  // and caches
  // Where the summary of this job is to be written; the folder is made. Of `job` only plain letters are taken.
  core::Result<std::string> summary_file(std::string_view job) const;

 private:
  Workshop(core::Disk& disk, std::string cache, std::string id);
  void end_others(core::Loop& loop) const;
  void forget_summaries() const;
  void take_kept();

  core::Disk& disk_;
  std::string cache_, id_, folder_, kept_;
  std::unique_ptr<core::Disk::Lock> own_, kept_lock_;
};

// $XDG_CACHE_HOME/headrace or ~/.cache/headrace; where there is neither, a folder of this user in /var/tmp.
std::string cache_folder();

// Not synced: what is gone after a power cut is of no use then.
core::Result<> put_file(const std::string& path, std::string_view text);

}  // namespace headrace::cli
