#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "archive/archive.h"

namespace headrace::archive {

using core::Code;
using core::Result;

namespace {

constexpr size_t block = 512;
constexpr size_t pax_bytes_max = 64 * 1024;
constexpr uint64_t octal_max = 077777777777;  // what the size field holds

std::unexpected<core::Error> no_tar(const std::string& why) {
  return core::fail(Code::invalid, "This is no tar that can be read: " + why + ".");
}

// Octal, or, where the first bit is set, binary with the highest byte first (GNU).
std::optional<uint64_t> number_at(std::string_view header, size_t at, size_t length) {
  auto field = header.substr(at, length);
  uint64_t number = 0;
  if ((static_cast<unsigned char>(field[0]) & 0x80U) != 0) {
    for (size_t i = field.size() - 8; i < field.size(); ++i)
      number = (number << 8) | static_cast<unsigned char>(field[i]);
    for (size_t i = 1; i + 8 < field.size(); ++i)
      if (field[i] != 0) return std::nullopt;
    return number;
  }
  while (!field.empty() && (field.front() == ' ')) field.remove_prefix(1);
  while (!field.empty() && (field.back() == ' ' || field.back() == '\0')) field.remove_suffix(1);
  for (char c : field) {
    if (c < '0' || c > '7' || number > (UINT64_MAX >> 3)) return std::nullopt;
    number = number * 8 + static_cast<uint64_t>(c - '0');
  }
  return number;
}

std::string text_at(std::string_view header, size_t at, size_t length) {
  auto field = header.substr(at, length);
  return std::string(field.substr(0, std::min(field.size(), field.find('\0'))));
}

bool sum_fits(std::string_view header) {
  auto said = number_at(header, 148, 8);
  uint64_t sum = 0;
  for (size_t i = 0; i < block; ++i) sum += static_cast<unsigned char>(i >= 148 && i < 156 ? ' ' : header[i]);
  return said && *said == sum;
}

}  // namespace

struct TarReader::Impl {
  explicit Impl(TarSink& to) : sink(to) {}
  Result<> header();
  Result<> content(std::span<const std::byte> bytes);
  Result<> extended();

  enum class What { header, file, passed_over, long_name, pax, done };
  TarSink& sink;
  What what = What::header;
  std::string head;            // of a header, as far as it came
  uint64_t left = 0, pad = 0;  // of the content, and of what fills its last block
  std::string kept;            // content of what tells of the next entry
  std::string next_name;
  std::optional<uint64_t> next_size;
  uint64_t count = 0;
};

TarReader::TarReader(TarSink& sink) : impl_(std::make_unique<Impl>(sink)) {}
TarReader::~TarReader() = default;

Result<> TarReader::feed(std::span<const std::byte> bytes) {
  Impl& it = *impl_;
  while (!bytes.empty()) {
    if (it.what == Impl::What::done) return {};  // zeros fill the last record
    if (it.what == Impl::What::header) {
      size_t wanted = std::min(block - it.head.size(), bytes.size());
      it.head.append(reinterpret_cast<const char*>(bytes.data()), wanted);
      bytes = bytes.subspan(wanted);
      if (it.head.size() < block) return {};
      if (auto read = it.header(); !read) return read;
      it.head.clear();
      continue;
    }
    size_t some = static_cast<size_t>(std::min<uint64_t>(it.left, bytes.size()));
    if (auto taken = it.content(bytes.first(some)); !taken) return taken;
    bytes = bytes.subspan(some);
    size_t filling = it.left == 0 ? static_cast<size_t>(std::min<uint64_t>(it.pad, bytes.size())) : 0;
    bytes = bytes.subspan(filling);
    it.pad -= filling;
    if (it.left == 0 && it.pad == 0) it.what = Impl::What::header;
  }
  return {};
}

Result<> TarReader::Impl::content(std::span<const std::byte> bytes) {
  if (left == 0) return {};
  left -= bytes.size();
  if (what == What::file) {
    if (auto added = sink.add(bytes); !added) return added;
    return left == 0 ? sink.end() : Result<>{};
  }
  if (what == What::passed_over) return {};
  kept.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return left == 0 ? extended() : Result<>{};
}

Result<> TarReader::Impl::header() {
  if (head.find_first_not_of('\0') == std::string::npos) {
    what = What::done;
    return {};
  }
  auto size = number_at(head, 124, 12);
  if (!sum_fits(head) || !size) return no_tar("the sum of a header does not fit");
  if (++count > entries_max) return core::fail(Code::exhausted, "The tar has too many entries.");
  char kind = head[156];
  Entry entry;
  entry.name = text_at(head, 0, 100);
  bool ustar = std::string_view(head).substr(257, 5) == "ustar";
  std::string prefix = ustar && head[263] != ' ' ? text_at(head, 345, 155) : std::string();
  if (!prefix.empty() && kind != 'L' && kind != 'x') entry.name = prefix + "/" + entry.name;
  left = *size;
  bool tells = kind == 'L' || kind == 'x';
  if (tells && left > pax_bytes_max) return no_tar("what it says of one entry is too long");
  if (!tells) {
    if (!next_name.empty()) entry.name = std::exchange(next_name, {});
    if (next_size) left = *next_size;
    next_size.reset();
  }
  pad = (block - left % block) % block;
  kept.clear();
  what = kind == 'L'                                  ? What::long_name
         : kind == 'x'                                ? What::pax
         : kind == '0' || kind == '\0' || kind == '7' ? What::file
                                                      : What::passed_over;
  if (kind == '1' || kind == '2' || kind == '5') left = pad = 0;  // links and folders have no content
  if (what == What::file) {
    entry.size = left;
    entry.mode = static_cast<uint32_t>(number_at(head, 100, 8).value_or(0644)) & 07777;
    entry.changed =
        core::Time(std::chrono::seconds(std::min<uint64_t>(number_at(head, 136, 12).value_or(0), 1U << 31)));
    if (auto begun = sink.begin(entry); !begun) return begun;
    if (left == 0)
      if (auto ended = sink.end(); !ended) return ended;
  }
  if (left == 0 && pad == 0) what = What::header;
  return {};
}

// "LENGTH key=value\n", as often as there is something to say (POSIX.1-2017, pax, "pax Extended Header").
Result<> TarReader::Impl::extended() {
  if (what == What::long_name) {
    next_name = kept.substr(0, kept.find('\0'));
    return {};
  }
  for (std::string_view rest = kept; !rest.empty();) {
    size_t length = 0;
    auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), length);
    auto digits = static_cast<size_t>(end - rest.data());
    if (error != std::errc() || length <= digits + 1 || length > rest.size() || rest[length - 1] != '\n')
      return no_tar("an extended header is not as it has to be");
    auto pair = rest.substr(digits + 1, length - digits - 2);
    rest.remove_prefix(length);
    auto equals = pair.find('=');
    if (equals == std::string_view::npos) return no_tar("an extended header is not as it has to be");
    auto value = pair.substr(equals + 1);
    if (pair.substr(0, equals) == "path") next_name = value;
    if (pair.substr(0, equals) != "size") continue;
    uint64_t size = 0;
    auto [last, wrong] = std::from_chars(value.data(), value.data() + value.size(), size);
    if (wrong != std::errc() || last != value.data() + value.size()) return no_tar("a size is no number");
    next_size = size;
  }
  return {};
}

Result<> TarReader::finish() {
  Impl& it = *impl_;
  if (it.what == Impl::What::done || (it.what == Impl::What::header && it.head.empty())) return {};
  return no_tar("it broke off");
}

// ---- Writing

namespace {

std::string octal(uint64_t number, size_t digits) {
  std::string text(digits, '0');
  for (size_t i = digits; i-- > 0; number >>= 3) text[i] = static_cast<char>('0' + (number & 7));
  return text + '\0';
}

std::string plain_header(const std::string& name, uint64_t size, uint32_t mode, core::Time changed, char kind) {
  std::string header(block, '\0');
  auto set = [&](size_t at, std::string_view text) { std::memcpy(header.data() + at, text.data(), text.size()); };
  set(0, std::string_view(name).substr(0, 100));
  set(100, octal(mode, 7));
  set(108, octal(0, 7));
  set(116, octal(0, 7));
  set(124, octal(std::min(size, octal_max), 11));
  int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(changed.time_since_epoch()).count();
  set(136, octal(static_cast<uint64_t>(std::max<int64_t>(seconds, 0)), 11));
  set(148, "        ");
  header[156] = kind;
  set(257, std::string_view("ustar\0"
                            "00",
                            8));
  uint64_t sum = 0;
  for (char c : header) sum += static_cast<unsigned char>(c);
  set(148, octal(sum, 6));
  return header;
}

std::string pax_line(const std::string& key, const std::string& value) {
  size_t bare = key.size() + value.size() + 3;  // the blank, '=' and the newline
  size_t length = bare + std::to_string(bare).size();
  length = bare + std::to_string(length).size();
  return std::to_string(length) + " " + key + "=" + value + "\n";
}

}  // namespace

std::string tar_padding(uint64_t size) { return std::string((block - size % block) % block, '\0'); }
std::string tar_end() { return std::string(2 * block, '\0'); }

std::string tar_header(const Entry& entry) {
  std::string pax;
  if (entry.name.size() > 100) pax += pax_line("path", entry.name);
  if (entry.size > octal_max) pax += pax_line("size", std::to_string(entry.size));
  std::string out;
  if (!pax.empty()) out = plain_header("pax", pax.size(), 0644, entry.changed, 'x') + pax + tar_padding(pax.size());
  return out +
         plain_header(entry.name, entry.folder ? 0 : entry.size, entry.mode, entry.changed, entry.folder ? '5' : '0');
}

}  // namespace headrace::archive
