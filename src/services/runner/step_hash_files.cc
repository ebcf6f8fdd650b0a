#include "services/runner/step_hash_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "core/bytes.h"
#include "process/descriptor.h"

namespace headrace::runner {

using core::Code;
using core::Result;

namespace {

using Path = std::vector<std::string>;

Path segments_of(std::string_view path) {
  Path segments;
  while (!path.empty()) {
    auto end = path.find('/');
    auto part = path.substr(0, end);
    path.remove_prefix(end == std::string_view::npos ? path.size() : end + 1);
    if (part == "..") {
      if (!segments.empty()) segments.pop_back();
    } else if (!part.empty() && part != ".") {
      segments.emplace_back(part);
    }
  }
  return segments;
}

// [abc], [a-z], [!a]: at is past the '['. Nothing: it is no class, '[' stands for itself.
bool class_matches(std::string_view pattern, size_t& at, char c, bool& is_class) {
  size_t i = at;
  bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  bool found = false;
  for (size_t first = i; i < pattern.size() && (pattern[i] != ']' || i == first); ++i) {
    if (pattern.substr(i + 1, 1) == "-" && i + 2 < pattern.size() && pattern[i + 2] != ']') {
      found = found || (pattern[i] <= c && c <= pattern[i + 2]);
      i += 2;
    } else {
      found = found || pattern[i] == c;
    }
  }
  is_class = i < pattern.size();
  if (is_class) at = i + 1;
  return found != negated;
}

// Within one name; linear but for the last star, to which it goes back.
bool name_matches(std::string_view pattern, std::string_view name) {
  size_t p = 0, n = 0, star = std::string_view::npos, mark = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      mark = n;
      continue;
    }
    size_t next = p + 1;
    bool matched = false;
    if (p < pattern.size() && pattern[p] == '[') {
      bool is_class = false;
      bool in = class_matches(pattern, next, name[n], is_class);
      matched = is_class ? in : name[n] == '[';
    } else if (p < pattern.size()) {
      if (pattern[p] == '\\' && p + 1 < pattern.size()) next = p + 2;
      matched = pattern[p] == '?' || pattern[next - 1] == name[n];
    }
    if (matched) {
      p = next;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star;
      n = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool matches(std::span<const std::string> pattern, std::span<const std::string> path) {
  size_t p = 0, n = 0, star = std::string::npos, mark = 0;
  while (n < path.size()) {
    if (p < pattern.size() && pattern[p] == "**") {
      star = ++p;
      mark = n;
    } else if (p < pattern.size() && name_matches(pattern[p], path[n])) {
      ++p;
      ++n;
    } else if (star != std::string::npos) {
      p = star;
      n = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == "**") ++p;
  return p == pattern.size();
}

struct Pattern {
  Path segments;
  bool negated = false;
};

// A pattern that matches a folder means all in it: "a" is "a" and "a/**".
bool included(const std::vector<Pattern>& patterns, const Path& path) {
  bool in = false;
  for (const auto& pattern : patterns) {
    if (in != pattern.negated) continue;
    bool matched = false;
    for (size_t length = 1; length <= path.size() && !matched; ++length)
      matched = matches(pattern.segments, std::span(path).first(length));
    if (matched || pattern.segments.empty()) in = !pattern.negated;
  }
  return in;
}

std::vector<Pattern> read_patterns(const std::vector<std::string>& arguments, std::string_view inside, bool& follow) {
  std::vector<Pattern> patterns;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (i == 0 && arguments[0] == "--follow-symbolic-links") {
      follow = true;
      continue;
    }
    for (std::string_view rest = arguments[i]; !rest.empty();) {
      auto end = rest.find('\n');
      auto line = rest.substr(0, end);
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
      while (!line.empty() && std::string_view(" \t\r").contains(line.back())) line.remove_suffix(1);
      while (!line.empty() && std::string_view(" \t").contains(line.front())) line.remove_prefix(1);
      if (line.empty() || line.starts_with('#')) continue;
      Pattern pattern;
      for (; line.starts_with('!'); line.remove_prefix(1)) pattern.negated = !pattern.negated;
      while (line.starts_with(' ')) line.remove_prefix(1);
      if (line.starts_with('/')) {
        if (!(line.starts_with(inside) && (line.size() == inside.size() || line[inside.size()] == '/'))) continue;
        line.remove_prefix(inside.size());
      }
      pattern.segments = segments_of(line);
      patterns.push_back(std::move(pattern));
    }
  }
  return patterns;
}

struct Free {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(DIR* folder) const { ::closedir(folder); }
};

class Sum {
 public:
  Sum() : context_(EVP_MD_CTX_new()) { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }
  void add(const void* bytes, size_t count) { EVP_DigestUpdate(context_.get(), bytes, count); }
  std::array<std::byte, 32> end() {
    std::array<std::byte, 32> digest{};
    EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()), nullptr);
    return digest;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

class Walk {
 public:
  Walk(std::string workspace, std::vector<Pattern> patterns, bool follow, HashFilesBounds bounds)
      : workspace_(std::move(workspace)),
        patterns_(std::move(patterns)),
        follow_(follow),
        bounds_(bounds),
        until_(std::chrono::steady_clock::now() + bounds.time_max) {}

  Result<std::string> run() {
    process::Descriptor root(::open(workspace_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!root) return std::string();
    Path at;
    if (auto walked = folder(root.get(), at); !walked) return std::unexpected(walked.error());
    if (files_ == 0) return std::string();
    return core::to_hex(sum_.end());
  }

 private:
  Result<> overdue() const {
    if (std::chrono::steady_clock::now() < until_) return {};
    return core::fail(Code::exhausted,
                      "couldn't finish within " +
                          std::to_string(std::chrono::round<std::chrono::seconds>(bounds_.time_max).count()) +
                          " seconds");
  }

  // Depth first, names in the order of their bytes.
  Result<> folder(int descriptor, Path& at) {
    if (at.size() >= hash_files_depth_max) return {};
    std::unique_ptr<DIR, Free> entries(::fdopendir(::dup(descriptor)));
    if (!entries) return {};
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(entries.get())) {
      std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (++entries_ > bounds_.entries_max)
        return core::fail(Code::exhausted, "looked at more than " + std::to_string(bounds_.entries_max) + " files");
      names.push_back(std::move(name));
    }
    std::ranges::sort(names);
    for (const auto& name : names) {
      if (auto time = overdue(); !time) return time;
      at.push_back(name);
      auto done = entry(descriptor, name, at);
      at.pop_back();
      if (!done) return done;
    }
    return {};
  }

  Result<> entry(int parent, const std::string& name, Path& at) {
    struct stat about{};
    if (::fstatat(parent, name.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0) return {};
    bool link = S_ISLNK(about.st_mode);
    if (link && (!follow_ || !leads_inside(at))) return {};
    int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (link ? 0 : O_NOFOLLOW);
    process::Descriptor opened(::openat(parent, name.c_str(), flags));
    if (!opened || ::fstat(opened.get(), &about) != 0) return {};
    if (S_ISDIR(about.st_mode)) return folder(opened.get(), at);
    if (!S_ISREG(about.st_mode) || !included(patterns_, at)) return {};
    return file(opened.get());
  }

  bool leads_inside(const Path& at) const {
    std::string path = workspace_;
    for (const auto& name : at) path += "/" + name;
    std::unique_ptr<char, decltype(&::free)> real(::realpath(path.c_str(), nullptr), ::free);
    std::unique_ptr<char, decltype(&::free)> root(::realpath(workspace_.c_str(), nullptr), ::free);
    return real && root && std::string_view(real.get()).starts_with(std::string(root.get()) + "/");
  }

  Result<> file(int descriptor) {
    Sum sum;
    std::array<char, 64 * 1024> buffer;
    while (true) {
      ssize_t got = ::read(descriptor, buffer.data(), buffer.size());
      if (got == 0) break;
      if (got < 0) return std::unexpected(core::error_of_errno(errno, "reading a file to be hashed"));
      sum.add(buffer.data(), static_cast<size_t>(got));
      if (auto time = overdue(); !time) return time;
    }
    auto digest = sum.end();
    sum_.add(digest.data(), digest.size());
    ++files_;
    return {};
  }

  std::string workspace_;
  std::vector<Pattern> patterns_;
  bool follow_;
  HashFilesBounds bounds_;
  std::chrono::steady_clock::time_point until_;
  Sum sum_;
  size_t files_ = 0, entries_ = 0;
};

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view path) {
  return matches(segments_of(pattern), segments_of(path));
}

Result<std::string> hash_files(const std::string& workspace, std::string_view inside,
                               const std::vector<std::string>& patterns, HashFilesBounds bounds) {
  bool follow = false;
  auto read = read_patterns(patterns, inside, follow);
  auto hashed = Walk(workspace, std::move(read), follow, bounds).run();
  if (hashed) return hashed;
  std::string shown;
  for (const auto& pattern : patterns) shown += (shown.empty() ? "" : ", ") + pattern;
  return core::fail(hashed.error().code, "hashFiles('" + shown + "') " + hashed.error().message + ".",
                    hashed.error().detail);
}

}  // namespace headrace::runner
