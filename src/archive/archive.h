// Archives, written and read as streams: zip (APPNOTE 6.3.10), as much of it as artifacts use, and tar (POSIX.1-2017,
// pax; with what GNU tar writes besides). Bytes in, bytes out: nothing here opens a file of its own or waits. What is
// read may be of a stranger's making: every length is checked, every name is to be checked with safe_name() before it
// is used.
//
//   ZipWriter  begin(entry), add(bytes)..., end(), ..., finish(): take() what is ready now and then
//   ZipReader  open(file): the directory; then the content of one entry after the other
//   TarReader  feed(bytes): tells a sink of entries and their content
//   tar_header, tar_padding, tar_end: what is written around the content of files
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/disk.h"
#include "core/result.h"

namespace headrace::archive {

inline constexpr size_t entries_max = 1'000'000;                 // of one archive
inline constexpr size_t name_bytes_max = 4'096;                  // of one entry
inline constexpr size_t directory_bytes_max = size_t{64} << 20;  // of a zip's directory

struct Entry {
  std::string name;   // with '/' between parts; a folder's ends with one in a zip
  uint64_t size = 0;  // of the content
  uint32_t mode = 0644;
  core::Time changed;
  bool folder = false;
  bool operator==(const Entry&) const = default;
};

// A path below the place it is unpacked in: relative, without "..", with '/' for '\'. Nothing: it leads elsewhere, is
// empty or holds a NUL.
std::optional<std::string> safe_name(std::string_view name);

class ZipWriter {
 public:
  explicit ZipWriter(int level);  // 0 to 9, of deflate
  ~ZipWriter();
  ZipWriter(const ZipWriter&) = delete;
  ZipWriter& operator=(const ZipWriter&) = delete;

  // entry.size is told where it is known (64-bit sizes are written for what is large); the content may be shorter.
  core::Result<> begin(const Entry& entry);  // exhausted: entries_max, the directory
  void add(std::span<const std::byte> bytes);
  void end();
  void finish();       // the directory; nothing after it
  std::string take();  // what is ready, once
  size_t ready() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class ZipReader {
 public:
  // Blocks. invalid: this is no zip, or one that is encrypted, in parts, or damaged: with the place. `file` outlives
  // it.
  static core::Result<std::unique_ptr<ZipReader>> open(const core::File& file);
  ~ZipReader();
  ZipReader(const ZipReader&) = delete;
  ZipReader& operator=(const ZipReader&) = delete;

  const std::vector<Entry>& entries() const;  // links and the like left out
  // Goes to the content of an entry (by its place in entries()), then reads on; 0 at its end, where sum and size are
  // compared: invalid. Blocks.
  core::Result<> seek(size_t entry);
  core::Result<size_t> read(std::span<std::byte> into);

 private:
  struct Impl;
  explicit ZipReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class TarSink {
 public:
  virtual ~TarSink() = default;
  virtual core::Result<> begin(const Entry& entry) = 0;  // a file; folders and links are passed over
  virtual core::Result<> add(std::span<const std::byte> bytes) = 0;
  virtual core::Result<> end() = 0;
};

class TarReader {
 public:
  explicit TarReader(TarSink& sink);  // outlives it
  ~TarReader();
  TarReader(const TarReader&) = delete;
  TarReader& operator=(const TarReader&) = delete;
  core::Result<> feed(std::span<const std::byte> bytes);  // invalid: this is no tar; or the sink's
  core::Result<> finish();                                // invalid: it broke off

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The header of an entry (a pax header before it, where the name or the size asks for it), what fills its content up to
// whole blocks, and the end of an archive.
std::string tar_header(const Entry& entry);
std::string tar_padding(uint64_t size);
std::string tar_end();

}  // namespace headrace::archive
