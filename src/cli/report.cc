#include "report/report.h"

#include "cli/commands.h"
#include "cli/output.h"
#include "core/bytes.h"
#include "core/disk.h"

namespace headrace::cli {

namespace json = core::json;

namespace {

constexpr size_t piece_bytes = 256 * 1024;

using Reading = std::expected<report::Report, report::Problem>;

report::Problem as_a_whole(std::string message) { return {0, 0, std::move(message)}; }

Reading read_report(core::Disk& disk, const std::string& path) {
  auto file = disk.open(path, core::Disk::Open::read);
  if (!file) return std::unexpected(as_a_whole(file.error().message));
  auto size = (*file)->size();
  if (!size) return std::unexpected(as_a_whole(size.error().message));
  if (*size > report::file_bytes_max)
    return std::unexpected(as_a_whole("The file is larger than 64 MiB; write several files."));
  report::Reader reader;
  std::string piece(piece_bytes, '\0');
  for (uint64_t at = 0; at < report::file_bytes_max;) {
    auto count = (*file)->read_at(at, std::as_writable_bytes(std::span(piece)));
    if (!count) return std::unexpected(as_a_whole(count.error().message));
    if (*count == 0) break;
    if (auto fed = reader.feed(std::string_view(piece).substr(0, *count)); !fed) return std::unexpected(fed.error());
    at += *count;
  }
  return reader.finish();
}

json::object of(const std::string& file, const Reading& reading) {
  const report::Report none;
  const report::Report& report = reading ? *reading : none;
  const report::Totals& totals = report.counted;
  json::object shown{{"file", core::to_valid_utf8(file)}, {"suites", report.suites.size()}, {"cases", totals.cases},
                     {"passed", totals.passed},           {"failed", totals.failed},        {"errored", totals.errored},
                     {"skipped", totals.skipped},         {"not_run", totals.not_run},      {"error", nullptr}};
  if (!reading) {
    const auto& [line, column, message] = reading.error();
    shown["error"] = json::object{{"line", line}, {"column", column}, {"message", message}};
  }
  return shown;
}

void add(std::string& text, int64_t count, std::string_view what) {
  if (count > 0) text += ", " + std::to_string(count) + " " + std::string(what);
}

void show(const std::string& file, const Reading& reading) {
  if (!reading) return print_line(report::in_words(reading.error(), file));
  const report::Totals& totals = reading->counted;
  std::string line = file + ": " + std::to_string(totals.cases) + (totals.cases == 1 ? " case" : " cases");
  add(line, totals.passed, "passed");
  add(line, totals.failed, "failed");
  add(line, totals.errored, "errored");
  add(line, totals.skipped, "skipped");
  add(line, totals.not_run, "not run");
  add(line, totals.flaky, "passed only when tried again");
  print_line(line);
  for (const report::Case& one : reading->cases) {
    if (!report::is_bad(one.outcome)) continue;
    std::string name = one.class_name.empty() ? one.name : one.class_name + " " + one.name;
    std::string why = one.message.substr(0, one.message.find('\n'));
    print_line("  " + std::string(report::name_of(one.outcome)) + "  " + name + (why.empty() ? "" : ": " + why));
  }
}

}  // namespace

int report_check(const std::vector<std::string>& files, bool as_json) {
  core::SystemDisk disk;
  json::array list;
  bool all_read = true;
  for (const auto& file : files) {
    auto reading = read_report(disk, file);
    all_read = all_read && reading.has_value();
    if (as_json)
      list.push_back(of(file, reading));
    else
      show(file, reading);
  }
  if (as_json) print_json(json::object{{"files", std::move(list)}});
  return all_read ? 0 : 1;
}

}  // namespace headrace::cli
