// rooms: report core
// Any bytes as a test report: read or refused, whole and in pieces alike, and what is kept stays within its bounds.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/bytes.h"
#include "report/report.h"

namespace {

using namespace headrace;

void require(bool holds) {
  if (!holds) std::abort();
}

void check(const report::Report& report) {
  const report::Totals& totals = report.counted;
  require(totals.cases == static_cast<int64_t>(report.cases.size()));
  require(totals.passed + totals.failed + totals.errored + totals.skipped + totals.not_run == totals.cases);
  for (const report::Case& one : report.cases) {
    require(one.name.size() <= report::name_bytes_max && one.message.size() <= report::message_bytes_max);
    require(one.details.size() <= report::details_bytes_max && core::is_utf8(one.details));
    require(core::is_utf8(one.name) && core::is_utf8(one.message));
    require(!one.suite || *one.suite < report.suites.size());
    require(core::is_utf8(report::suite_path(report, one)));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto whole = report::read(text);
  if (whole) check(*whole);
  if (!whole) require(!whole.error().message.empty());
  report::Reader reader;
  std::expected<void, report::Problem> fed;
  for (size_t at = 0; fed && at < size; at += 13) fed = reader.feed(text.substr(at, 13));
  auto pieces = reader.finish();
  require(pieces.has_value() == whole.has_value());
  if (whole) require(*whole == *pieces);
  return 0;
}
