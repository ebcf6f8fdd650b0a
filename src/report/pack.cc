#include "report/pack.h"

#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "core/bytes.h"
#include "report/text.h"
#include "report/varint.h"

namespace headrace::report {

using core::Code;
using core::Result;

namespace {

constexpr char format_version = 1;
constexpr size_t cases_a_part_max = 16'384;
constexpr double microseconds_max = 1e15;

// The first byte of a case: outcome in the low three bits, then these.
constexpr unsigned flag_flaky = 8, flag_same_suite = 16, flag_same_class = 32;

std::optional<int64_t> microseconds_of(const std::optional<double>& seconds) {
  if (!seconds || *seconds < 0) return std::nullopt;
  return static_cast<int64_t>(std::llround(std::min(*seconds * 1e6, microseconds_max)));
}

void put_text(std::string& out, std::string_view text) {
  put_varint(out, text.size());
  out.append(text);
}

void put_cut(std::string& out, std::string_view text, size_t bytes_max) {
  std::string cut;
  append_cut(cut, text, bytes_max);
  put_text(out, cut);
}

void put_case(std::string& out, const CaseResult& one, const CaseResult& before) {
  unsigned first = static_cast<unsigned>(one.outcome);
  if (one.flaky) first |= flag_flaky;
  if (one.suite == before.suite) first |= flag_same_suite;
  if (one.class_name == before.class_name) first |= flag_same_class;
  out.push_back(static_cast<char>(first));
  put_varint(out, one.microseconds ? static_cast<uint64_t>(*one.microseconds) + 1 : 0);
  if (!(first & flag_same_suite)) put_text(out, one.suite);
  if (!(first & flag_same_class)) put_text(out, one.class_name);
  put_text(out, one.name);
  if (!is_bad(one.outcome)) return;
  put_text(out, one.file);
  put_varint(out, static_cast<uint64_t>(one.line));
  put_cut(out, one.message, told_message_bytes_max);
  put_cut(out, one.details, told_details_bytes_max);
}

std::string deflated(std::string_view bytes) {
  uLongf size = compressBound(static_cast<uLong>(bytes.size()));
  std::string out(size, '\0');
  int done = compress2(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(bytes.data()),
                       static_cast<uLong>(bytes.size()), Z_DEFAULT_COMPRESSION);
  core::require(done == Z_OK, "zlib compresses into a buffer of compressBound bytes");
  out.resize(size);
  return out;
}

// The size comes from elsewhere, so it is believed only within the bound.
Result<std::string> inflated(std::string_view bytes, uint64_t size) {
  if (size > unpacked_bytes_max) return core::fail(Code::invalid, "Packed test results are larger than 8 MiB.");
  std::string out(size, '\0');
  uLongf length = static_cast<uLongf>(size);
  int done = uncompress(reinterpret_cast<Bytef*>(out.data()), &length, reinterpret_cast<const Bytef*>(bytes.data()),
                        static_cast<uLong>(bytes.size()));
  if (done != Z_OK || length != size) return core::fail(Code::invalid, "Packed test results are damaged.");
  return out;
}

struct Part {
  std::string bytes;
  size_t plain = 0;  // bytes before they were compressed
  double fullness() const {
    return std::max(static_cast<double>(bytes.size()) / part_bytes_max,
                    static_cast<double>(plain) / unpacked_bytes_max);
  }
};

Part part_of(std::span<const CaseResult> cases) {
  std::string plain;
  CaseResult before;
  for (const CaseResult& one : cases) {
    put_case(plain, one, before);
    before = one;
  }
  std::string part(1, format_version);
  put_varint(part, cases.size());
  put_varint(part, plain.size());
  part += deflated(plain);
  return {std::move(part), plain.size()};
}

// Parts as full as they may be: a part that does not fit is tried again with as many cases as its size lets expect. A
// single case always fits.
void add_parts(std::span<const CaseResult> cases, Packed& packed) {
  size_t count = cases_a_part_max;
  while (!cases.empty() && packed.parts.size() < parts_max) {
    count = std::min(count, cases.size());
    Part part = part_of(cases.first(count));
    if (part.fullness() > 1) {
      count = std::max<size_t>(1, static_cast<size_t>(static_cast<double>(count) / part.fullness() * 0.95));
      continue;
    }
    packed.parts.push_back(std::move(part.bytes));
    packed.told += static_cast<int64_t>(count);
    cases = cases.subspan(count);
  }
}

CaseResult result_of(const Report& report, const Case& one) {
  CaseResult result{.suite = suite_path(report, one),
                    .class_name = one.class_name,
                    .name = one.name,
                    .outcome = one.outcome,
                    .flaky = one.flaky(),
                    .microseconds = microseconds_of(one.seconds),
                    .file = {},
                    .line = 0,
                    .message = {},
                    .details = {}};
  if (!is_bad(one.outcome)) return result;
  result.file = one.file;
  result.line = one.line;
  result.message = one.message;
  result.details = one.details;
  return result;
}

struct Unpacking {
  VarintReader in;
  bool good = true;

  std::string text(size_t bytes_max) {
    auto piece = in.bytes(in.number());
    good = good && !in.failed() && piece.size() <= bytes_max && core::is_utf8(piece);
    return good ? std::string(piece) : std::string();
  }

  CaseResult next(const CaseResult& before) {
    CaseResult one;
    unsigned first = in.byte();
    good = good && !in.failed() && (first & 7) <= static_cast<unsigned>(Outcome::not_run) && first < 64;
    if (!good) return one;
    one.outcome = static_cast<Outcome>(first & 7);
    one.flaky = (first & flag_flaky) != 0;
    uint64_t time = in.number();
    good = good && time <= static_cast<uint64_t>(microseconds_max) + 1;
    if (time > 0) one.microseconds = static_cast<int64_t>(time - 1);
    one.suite = first & flag_same_suite ? before.suite : text(name_bytes_max);
    one.class_name = first & flag_same_class ? before.class_name : text(name_bytes_max);
    one.name = text(name_bytes_max);
    if (!is_bad(one.outcome)) return one;
    one.file = text(name_bytes_max);
    one.line = static_cast<int64_t>(in.number() & INT64_MAX);
    one.message = text(told_message_bytes_max);
    one.details = text(told_details_bytes_max);
    return one;
  }
};

}  // namespace

Packed pack(const Report& report) {
  std::vector<CaseResult> all;
  all.reserve(report.cases.size());
  size_t bad = 0;
  for (bool wanted : {true, false}) {
    for (const Case& one : report.cases) {
      if (is_bad(one.outcome) != wanted) continue;
      all.push_back(result_of(report, one));
      if (wanted && ++bad > told_details_max) all.back().details.clear();
    }
  }
  Packed packed;
  add_parts(all, packed);
  return packed;
}

Result<std::vector<CaseResult>> unpack(std::string_view part) {
  auto damaged = [] { return core::fail(Code::invalid, "Packed test results are damaged."); };
  if (part.empty() || part.front() != format_version || part.size() > part_bytes_max) return damaged();
  VarintReader head(part.substr(1));
  uint64_t count = head.number();
  uint64_t size = head.number();
  if (head.failed() || count == 0 || count > cases_a_part_max) return damaged();
  auto plain = inflated(head.rest(), size);
  if (!plain) return std::unexpected(plain.error());
  Unpacking unpacking{VarintReader(*plain)};
  std::vector<CaseResult> cases;
  const CaseResult none;
  for (uint64_t i = 0; i < count; ++i) {
    cases.push_back(unpacking.next(cases.empty() ? none : cases.back()));
    if (!unpacking.good || unpacking.in.failed()) return damaged();
  }
  if (!unpacking.in.rest().empty()) return damaged();
  return cases;
}

std::string test_id(std::string_view suite, std::string_view class_name, std::string_view name) {
  std::string text(suite);
  text.append(1, '\0').append(class_name).append(1, '\0').append(name);
  return core::sha256_hex(text).substr(0, 16);
}

}  // namespace headrace::report
