// A file of this host that is another one for this process and what it starts, as long as this exists. Root only.
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
  ReplacedFile(const std::string& path, const std::string& text) {
    char name[] = "/tmp/headrace-replaced-XXXXXX";
    Descriptor file(::mkstemp(name));
    file_ = name;
    std::ofstream(file_) << text;
    ::chmod(name, 0644);
    before_ = Descriptor(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
    apart_ = ::unshare(CLONE_NEWNS) == 0;
    done_ = apart_ && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
            ::mount(name, std::filesystem::canonical(path).c_str(), nullptr, MS_BIND, nullptr) == 0;
  }
  ~ReplacedFile() {
    if (apart_) {
      EXPECT_EQ(::setns(before_.get(), CLONE_NEWNS), 0);
    }
    ::unlink(file_.c_str());
  }
  ReplacedFile(const ReplacedFile&) = delete;
  ReplacedFile& operator=(const ReplacedFile&) = delete;

  explicit operator bool() const { return done_; }  // false: this user may not mount

 private:
  std::string file_;
  Descriptor before_;
  bool apart_ = false;
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
