#include <zlib.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "archive/archive.h"
#include "archive/little.h"

namespace headrace::archive {

using core::Code;
using core::Result;

namespace {

constexpr size_t end_bytes = 22, end64_bytes = 56, locator_bytes = 20, central_bytes = 46, local_bytes = 30;
constexpr size_t comment_max = 0xffff;

std::unexpected<core::Error> damaged(const std::string& what, uint64_t at) {
  return core::fail(Code::invalid, "The zip is damaged at byte " + std::to_string(at) + ": " + what + ".");
}

Result<std::string> bytes_at(const core::File& file, uint64_t at, size_t count) {
  std::string bytes(count, '\0');
  auto got = file.read_at(at, std::as_writable_bytes(std::span(bytes)));
  if (!got) return std::unexpected(got.error());
  if (*got != count) return damaged("it ends within what is to be there", at);
  return bytes;
}

core::Time time_of(uint64_t date, uint64_t time) {
  std::tm parts{};
  parts.tm_year = static_cast<int>((date >> 9) & 0x7f) + 80;
  parts.tm_mon = static_cast<int>((date >> 5) & 0xf) - 1;
  parts.tm_mday = static_cast<int>(date & 0x1f);
  parts.tm_hour = static_cast<int>((time >> 11) & 0x1f);
  parts.tm_min = static_cast<int>((time >> 5) & 0x3f);
  parts.tm_sec = static_cast<int>((time & 0x1f) * 2);
  return core::Time(std::chrono::seconds(::timegm(&parts)));
}

// Where the directory is.
struct Directory {
  uint64_t at = 0, size = 0, count = 0;
};

struct Place {
  uint64_t at = 0, packed = 0, plain = 0;
  uint32_t sum = 0;
  uint16_t method = 0;
};

}  // namespace

struct ZipReader::Impl {
  explicit Impl(const core::File& from) : file(from) {}
  ~Impl() {
    if (inflating) inflateEnd(&inflate);
  }

  Result<> load();
  Result<Directory> find();
  Result<Directory> find64(const std::string& tail, size_t end, uint64_t tail_at) const;
  Result<size_t> take(const std::string& directory, size_t at, uint64_t from);
  Result<> widen(std::string_view extra, Place& place, uint64_t from) const;
  Result<size_t> inflated(std::span<std::byte> into);
  Result<size_t> stored(std::span<std::byte> into);
  Result<> fill();
  Result<size_t> at_end();

  const core::File& file;
  uint64_t file_size = 0;
  std::vector<Entry> entries;
  std::vector<Place> places;

  z_stream inflate{};
  bool inflating = false;
  Place now;
  uint64_t next = 0, left = 0;  // of the packed bytes
  uint64_t out = 0;
  uint32_t sum = 0;
  bool ended = true;
  std::array<std::byte, 64 * 1024> packed;
};

ZipReader::ZipReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ZipReader::~ZipReader() = default;
const std::vector<Entry>& ZipReader::entries() const { return impl_->entries; }

Result<std::unique_ptr<ZipReader>> ZipReader::open(const core::File& file) {
  auto impl = std::make_unique<Impl>(file);
  if (auto loaded = impl->load(); !loaded) return std::unexpected(loaded.error());
  return std::unique_ptr<ZipReader>(new ZipReader(std::move(impl)));
}

// ---- The directory

Result<Directory> ZipReader::Impl::find() {
  if (file_size < end_bytes) return core::fail(Code::invalid, "This is no zip: it is too short.");
  size_t count = static_cast<size_t>(std::min<uint64_t>(file_size, end_bytes + comment_max + locator_bytes));
  uint64_t tail_at = file_size - count;
  auto tail = bytes_at(file, tail_at, count);
  if (!tail) return std::unexpected(tail.error());
  for (size_t at = count - end_bytes + 1; at-- > 0;) {
    if (get(*tail, at, 4) != end_mark || at + end_bytes + get(*tail, at + 20, 2) != count) continue;
    if (get(*tail, at + 4, 2) != 0 && get(*tail, at + 4, 2) != count_max)
      return core::fail(Code::invalid, "This zip is one of several parts; only a whole one can be read.");
    Directory found{get(*tail, at + 16, 4), get(*tail, at + 12, 4), get(*tail, at + 10, 2)};
    bool large = found.at == small_max || found.size == small_max || found.count == count_max;
    if (large && at >= locator_bytes && get(*tail, at - locator_bytes, 4) == locator_mark)
      return find64(*tail, at, tail_at);
    return found;
  }
  return core::fail(Code::invalid, "This is no zip: the end of its directory is not there.");
}

Result<Directory> ZipReader::Impl::find64(const std::string& tail, size_t end, uint64_t tail_at) const {
  uint64_t at = get(tail, end - locator_bytes + 8, 8);
  if (at > tail_at + end || file_size - at < end64_bytes) return damaged("its 64-bit directory is elsewhere", at);
  auto bytes = bytes_at(file, at, end64_bytes);
  if (!bytes) return std::unexpected(bytes.error());
  if (get(*bytes, 0, 4) != end64_mark) return damaged("its 64-bit directory is not there", at);
  return Directory{get(*bytes, 48, 8), get(*bytes, 40, 8), get(*bytes, 32, 8)};
}

Result<> ZipReader::Impl::load() {
  auto size = file.size();
  if (!size) return std::unexpected(size.error());
  file_size = *size;
  auto found = find();
  if (!found) return std::unexpected(found.error());
  if (found->count > entries_max || found->size > directory_bytes_max)
    return core::fail(Code::exhausted, "The zip has more than " + std::to_string(entries_max) + " files.");
  if (found->at > file_size || found->size > file_size - found->at)
    return damaged("its directory lies beyond its end", found->at);
  auto directory = bytes_at(file, found->at, static_cast<size_t>(found->size));
  if (!directory) return std::unexpected(directory.error());
  size_t at = 0;
  for (uint64_t i = 0; i < found->count; ++i) {
    auto length = take(*directory, at, found->at);
    if (!length) return std::unexpected(length.error());
    at += *length;
  }
  return {};
}

// One entry of the directory; its length.
Result<size_t> ZipReader::Impl::take(const std::string& directory, size_t at, uint64_t from) {
  if (directory.size() - at < central_bytes || get(directory, at, 4) != central_mark)
    return damaged("an entry of its directory is not there", from + at);
  size_t name_size = get(directory, at + 28, 2), extra_size = get(directory, at + 30, 2);
  size_t length = central_bytes + name_size + extra_size + get(directory, at + 32, 2);
  if (directory.size() - at < length) return damaged("an entry of its directory is cut short", from + at);
  Entry entry;
  entry.name = directory.substr(at + central_bytes, name_size);
  if ((get(directory, at + 8, 2) & 1) != 0)
    return core::fail(Code::invalid, "The file '" + entry.name.substr(0, 200) + "' in the zip is encrypted.");
  Place place{.at = get(directory, at + 42, 4),
              .packed = get(directory, at + 20, 4),
              .plain = get(directory, at + 24, 4),
              .sum = static_cast<uint32_t>(get(directory, at + 16, 4)),
              .method = static_cast<uint16_t>(get(directory, at + 10, 2))};
  auto extra = std::string_view(directory).substr(at + central_bytes + name_size, extra_size);
  if (auto widened = widen(extra, place, from + at); !widened) return std::unexpected(widened.error());
  if (place.at > file_size || place.packed > file_size - place.at)
    return damaged("the content of '" + entry.name.substr(0, 200) + "' lies beyond its end", from + at);
  entry.size = place.plain;
  entry.changed = time_of(get(directory, at + 14, 2), get(directory, at + 12, 2));
  entry.folder = entry.name.ends_with('/');
  auto mode = static_cast<uint32_t>(get(directory, at + 38, 4) >> 16);
  bool of_unix = get(directory, at + 5, 1) == 3 && mode != 0;
  entry.mode = of_unix ? mode & 07777 : entry.folder ? 0755 : 0644;
  uint32_t kind = of_unix ? mode & 0170000 : 0;
  bool plain_file = kind == 0 || kind == 0100000 || kind == 0040000;
  if (plain_file) {
    entries.push_back(std::move(entry));
    places.push_back(place);
  }
  return length;
}

Result<> ZipReader::Impl::widen(std::string_view extra, Place& place, uint64_t from) const {
  while (extra.size() >= 4) {
    size_t size = get(extra, 2, 2);
    if (extra.size() - 4 < size) return damaged("the extra fields of an entry are cut short", from);
    if (get(extra, 0, 2) == extra64) {
      size_t at = 4;
      for (uint64_t* number : {&place.plain, &place.packed, &place.at}) {
        if (*number != small_max) continue;
        if (at + 8 > size + 4) return damaged("the 64-bit sizes of an entry are cut short", from);
        *number = get(extra, at, 8);
        at += 8;
      }
    }
    extra.remove_prefix(4 + size);
  }
  return {};
}

// ---- Content

Result<> ZipReader::seek(size_t entry) {
  Impl& it = *impl_;
  core::require(entry < it.places.size(), "an entry of this zip");
  it.now = it.places[entry];
  if (it.now.method != 0 && it.now.method != 8)
    return core::fail(Code::invalid, "The file '" + it.entries[entry].name.substr(0, 200) +
                                         "' in the zip is packed by a method that is not known here (" +
                                         std::to_string(it.now.method) + ").");
  auto local = bytes_at(it.file, it.now.at, local_bytes);
  if (!local) return std::unexpected(local.error());
  if (get(*local, 0, 4) != local_mark) return damaged("the header of a file is not there", it.now.at);
  it.next = it.now.at + local_bytes + get(*local, 26, 2) + get(*local, 28, 2);
  if (it.next > it.file_size || it.now.packed > it.file_size - it.next)
    return damaged("the content of a file lies beyond its end", it.now.at);
  if (it.now.method == 0 && it.now.packed != it.now.plain)
    return damaged("the sizes of a file that is not packed differ", it.now.at);
  it.left = it.now.packed;
  it.out = 0;
  it.sum = static_cast<uint32_t>(crc32(0, nullptr, 0));
  it.ended = false;
  if (it.inflating) inflateEnd(&it.inflate);
  it.inflate = {};
  it.inflating = inflateInit2(&it.inflate, -MAX_WBITS) == Z_OK;
  core::require(it.inflating, "inflate can be begun");
  return {};
}

Result<size_t> ZipReader::read(std::span<std::byte> into) {
  Impl& it = *impl_;
  if (it.ended || into.empty()) return size_t{0};
  auto got = it.now.method == 0 ? it.stored(into) : it.inflated(into);
  if (!got) return got;
  it.out += *got;
  if (it.out > it.now.plain) return damaged("a file is larger than its directory says", it.now.at);
  it.sum = static_cast<uint32_t>(crc32(it.sum, reinterpret_cast<const Bytef*>(into.data()), static_cast<uInt>(*got)));
  return *got == 0 ? it.at_end() : got;
}

Result<size_t> ZipReader::Impl::at_end() {
  ended = true;
  if (out != now.plain || sum != now.sum)
    return damaged("the content of a file is not what it was when it was packed", now.at);
  return size_t{0};
}

Result<size_t> ZipReader::Impl::stored(std::span<std::byte> into) {
  auto got = file.read_at(next, into.first(std::min<uint64_t>(into.size(), left)));
  if (!got) return got;
  if (*got == 0 && left > 0) return damaged("it ends within a file", next);
  next += *got;
  left -= *got;
  return got;
}

Result<> ZipReader::Impl::fill() {
  auto got = file.read_at(next, std::span(packed).first(std::min<uint64_t>(packed.size(), left)));
  if (!got) return std::unexpected(got.error());
  if (*got == 0) return damaged("it ends within a file", next);
  next += *got;
  left -= *got;
  inflate.next_in = reinterpret_cast<Bytef*>(packed.data());
  inflate.avail_in = static_cast<uInt>(*got);
  return {};
}

Result<size_t> ZipReader::Impl::inflated(std::span<std::byte> into) {
  into = into.first(std::min<size_t>(into.size(), size_t{1} << 30));
  inflate.next_out = reinterpret_cast<Bytef*>(into.data());
  inflate.avail_out = static_cast<uInt>(into.size());
  while (inflate.avail_out == into.size()) {
    if (inflate.avail_in == 0 && left > 0)
      if (auto filled = fill(); !filled) return std::unexpected(filled.error());
    int said = ::inflate(&inflate, Z_NO_FLUSH);
    if (said == Z_STREAM_END) break;
    if (said != Z_OK) return damaged("the packed content of a file cannot be read", next);
  }
  return into.size() - inflate.avail_out;
}

}  // namespace headrace::archive
