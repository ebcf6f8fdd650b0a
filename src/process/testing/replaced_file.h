// A file of this host that is another one for this process and what it starts, as long as this exists. Root only. The
// process stays in a mount name space of its own: with threads there is no way back.
#pragma once

#include <gtest/gtest.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "process/descriptor.h"

namespace headrace::process::testing {

class ReplacedFile {
 public:
  ReplacedFile(const std::string& path, const std::string& text) : path_(path) {
    char name[] = "/tmp/headrace-replaced-XXXXXX";
    Descriptor file(::mkstemp(name));
    file_ = name;
    std::ofstream(file_) << text;
    ::chmod(name, 0644);
    done_ = ::unshare(CLONE_NEWNS) == 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) == 0 &&
            ::mount(name, real_path().c_str(), nullptr, MS_BIND, nullptr) == 0;
  }
  ~ReplacedFile() {
    if (done_) {
      EXPECT_EQ(::umount2(real_path().c_str(), MNT_DETACH), 0);
    }
    ::unlink(file_.c_str());
  }
  ReplacedFile(const ReplacedFile&) = delete;
  ReplacedFile& operator=(const ReplacedFile&) = delete;

  explicit operator bool() const { return done_; }  // false: this user may not mount

 private:
  std::string real_path() const {
    std::error_code error;
    return std::filesystem::canonical(path_, error);
  }

  std::string path_, file_;
  bool done_ = false;
};

// Where libslirp lies; empty: it is not installed.
inline std::string libslirp_file() {
  std::error_code error;
  for (const auto& folder : std::filesystem::directory_iterator("/usr/lib", error))
    if (std::filesystem::exists(folder.path() / "libslirp.so.0", error)) return folder.path() / "libslirp.so.0";
  return {};
}

}  // namespace headrace::process::testing
