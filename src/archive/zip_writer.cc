#include <zlib.h>

#include <array>
#include <ctime>

#include "archive/archive.h"
#include "archive/little.h"

namespace headrace::archive {

using core::Code;
using core::Result;

namespace {

constexpr uint16_t flags = 0x0808;  // sizes follow the content; names are UTF-8
constexpr uint16_t deflated = 8;
constexpr uint64_t doubt = uint64_t{1} << 20;  // what deflate may add to what cannot be made smaller, and more

struct DosTime {
  uint16_t date = 0x21, time = 0;  // 1980-01-01
};

DosTime dos_time(core::Time when) {
  std::time_t seconds = std::chrono::system_clock::to_time_t(std::chrono::time_point_cast<std::chrono::seconds>(when));
  std::tm parts{};
  if (::gmtime_r(&seconds, &parts) == nullptr || parts.tm_year < 80 || parts.tm_year > 207) return {};
  DosTime dos;
  dos.date = static_cast<uint16_t>(((parts.tm_year - 80) << 9) | ((parts.tm_mon + 1) << 5) | parts.tm_mday);
  dos.time = static_cast<uint16_t>((parts.tm_hour << 11) | (parts.tm_min << 5) | (parts.tm_sec / 2));
  return dos;
}

}  // namespace

struct ZipWriter::Impl {
  explicit Impl(int level) {
    // Raw deflate: zip has its own header and sum.
    core::require(deflateInit2(&deflate, level, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK,
                  "deflate can be begun");
  }
  ~Impl() { deflateEnd(&deflate); }

  void press(std::span<const std::byte> bytes, int how) {
    // zlib takes no more than 32 bits at once; a caller's pieces are far smaller.
    deflate.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
    deflate.avail_in = static_cast<uInt>(bytes.size());
    std::array<char, 32 * 1024> piece;
    do {
      deflate.next_out = reinterpret_cast<Bytef*>(piece.data());
      deflate.avail_out = static_cast<uInt>(piece.size());
      ::deflate(&deflate, how);
      size_t made = piece.size() - deflate.avail_out;
      out.append(piece.data(), made);
      packed += made;
    } while (deflate.avail_out == 0);
  }

  void add_central();

  z_stream deflate{};
  std::string out, central;
  uint64_t given = 0;  // of what was taken, bytes
  uint64_t offset() const { return given + out.size(); }
  uint64_t count = 0;

  Entry entry;
  bool open = false, wide = false;
  uint64_t at = 0, packed = 0, plain = 0;
  uint32_t sum = 0;
};

ZipWriter::ZipWriter(int level) : impl_(std::make_unique<Impl>(level)) {}
ZipWriter::~ZipWriter() = default;

Result<> ZipWriter::begin(const Entry& entry) {
  Impl& it = *impl_;
  core::require(!it.open, "one entry after the other");
  if (it.count >= entries_max || it.central.size() > directory_bytes_max || entry.name.size() > name_bytes_max)
    return core::fail(Code::exhausted, "A zip has at most " + std::to_string(entries_max) +
                                           " files, and names of at most " + std::to_string(name_bytes_max) +
                                           " bytes.");
  it.entry = entry;
  it.open = true;
  it.wide = entry.size >= small_max - doubt;
  it.at = it.offset();
  it.packed = it.plain = 0;
  it.sum = static_cast<uint32_t>(crc32(0, nullptr, 0));
  deflateReset(&it.deflate);
  DosTime when = dos_time(entry.changed);
  put(it.out, local_mark, 4);
  put(it.out, it.wide ? 45 : 20, 2);
  put(it.out, flags, 2);
  put(it.out, deflated, 2);
  put(it.out, when.time, 2);
  put(it.out, when.date, 2);
  put(it.out, 0, 4);
  put(it.out, it.wide ? small_max : 0, 4);
  put(it.out, it.wide ? small_max : 0, 4);
  put(it.out, entry.name.size(), 2);
  put(it.out, it.wide ? 20 : 0, 2);
  it.out += entry.name;
  if (it.wide) {
    put(it.out, extra64, 2);
    put(it.out, 16, 2);
    put(it.out, 0, 8);
    put(it.out, 0, 8);
  }
  return {};
}

void ZipWriter::add(std::span<const std::byte> bytes) {
  Impl& it = *impl_;
  core::require(it.open, "content is of an entry");
  it.sum = static_cast<uint32_t>(
      crc32(it.sum, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
  it.plain += bytes.size();
  it.press(bytes, Z_NO_FLUSH);
}

void ZipWriter::end() {
  Impl& it = *impl_;
  it.press({}, Z_FINISH);
  put(it.out, descriptor_mark, 4);
  put(it.out, it.sum, 4);
  put(it.out, it.packed, it.wide ? 8 : 4);
  put(it.out, it.plain, it.wide ? 8 : 4);
  it.add_central();
  it.open = false;
  ++it.count;
}

void ZipWriter::Impl::add_central() {
  std::string extra;
  for (uint64_t number : {plain, packed, at})
    if (number >= small_max) put(extra, number, 8);
  DosTime when = dos_time(entry.changed);
  auto narrow = [](uint64_t number) { return number >= small_max ? small_max : number; };
  put(central, central_mark, 4);
  put(central, (3 << 8) | 45, 2);  // made by Unix: the mode is in the external attributes
  put(central, wide || !extra.empty() ? 45 : 20, 2);
  put(central, flags, 2);
  put(central, deflated, 2);
  put(central, when.time, 2);
  put(central, when.date, 2);
  put(central, sum, 4);
  put(central, narrow(packed), 4);
  put(central, narrow(plain), 4);
  put(central, entry.name.size(), 2);
  put(central, extra.empty() ? 0 : extra.size() + 4, 2);
  put(central, 0, 2);  // comment
  put(central, 0, 2);  // disk
  put(central, 0, 2);  // internal attributes
  put(central, uint64_t{0100000 | (entry.mode & 07777)} << 16, 4);
  put(central, narrow(at), 4);
  central += entry.name;
  if (extra.empty()) return;
  put(central, extra64, 2);
  put(central, extra.size(), 2);
  central += extra;
}

void ZipWriter::finish() {
  Impl& it = *impl_;
  core::require(!it.open, "the last entry has ended");
  uint64_t start = it.offset();
  uint64_t size = it.central.size();
  it.out += it.central;
  it.central.clear();
  bool large = it.count >= count_max || start >= small_max || size >= small_max;
  if (large) {
    uint64_t at = it.offset();
    put(it.out, end64_mark, 4);
    put(it.out, 44, 8);
    put(it.out, (3 << 8) | 45, 2);
    put(it.out, 45, 2);
    put(it.out, 0, 4);
    put(it.out, 0, 4);
    put(it.out, it.count, 8);
    put(it.out, it.count, 8);
    put(it.out, size, 8);
    put(it.out, start, 8);
    put(it.out, locator_mark, 4);
    put(it.out, 0, 4);
    put(it.out, at, 8);
    put(it.out, 1, 4);
  }
  put(it.out, end_mark, 4);
  put(it.out, 0, 2);
  put(it.out, 0, 2);
  put(it.out, large ? count_max : it.count, 2);
  put(it.out, large ? count_max : it.count, 2);
  put(it.out, large ? small_max : size, 4);
  put(it.out, large ? small_max : start, 4);
  put(it.out, 0, 2);
}

size_t ZipWriter::ready() const { return impl_->out.size(); }

std::string ZipWriter::take() {
  impl_->given += impl_->out.size();
  return std::exchange(impl_->out, {});
}

}  // namespace headrace::archive
