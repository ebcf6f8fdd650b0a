#include "store/rebuild.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/disk.h"
#include "store/digest.h"
#include "store/projection_file.h"

namespace headrace::store {
namespace {

using core::Code;
using core::Result;

constexpr size_t events_a_slice = 1'000;
using File = std::unique_ptr<ProjectionFile>;

// The file that is there, if it can be compared with.
Result<File> kept_file(const std::string& path, Projection& projection, log::EventLog& log) {
  auto opened = ProjectionFile::open(path, projection, log);
  if (!opened) return std::unexpected(opened.error());
  auto* file = std::get_if<File>(&*opened);
  return file == nullptr ? File() : std::move(*file);
}

Result<> compare(ProjectionFile& kept, ProjectionFile& rebuilt, Rebuilt& report) {
  auto before = digest_of(kept.connection());
  if (!before) return std::unexpected(before.error());
  report.digest_before = *before;
  if (report.digest_before == report.digest) return {};
  auto first = difference(kept.connection(), rebuilt.connection());
  if (!first) return std::unexpected(first.error());
  report.difference = std::move(*first);
  return {};
}

Result<Rebuilt> rebuild_one(Projection& projection, log::EventLog& log, const std::string& directory, Verify verify) {
  const auto path = fmt::format("{}/{}.db", directory, projection.name());
  const auto beside = fmt::format("{}/{}.v{}.db.new", directory, projection.name(), projection.version());
  auto kept = kept_file(path, projection, log);
  if (!kept) return std::unexpected(kept.error());
  const bool compares = verify == Verify::yes && *kept != nullptr;
  const auto until = compares ? (*kept)->applied() : log.durable();
  auto made = ProjectionFile::create(beside, projection, ProjectionFile::Kind::scratch);
  if (!made) return std::unexpected(made.error());
  auto& rebuilt = **made;
  while (rebuilt.applied() < until)
    if (auto done = rebuilt.advance(log, until, events_a_slice); !done) return std::unexpected(done.error());
  Rebuilt report{.name = projection.name(),
                 .version = projection.version(),
                 .offset = until,
                 .events = rebuilt.events(),
                 .digest = {},
                 .digest_before = {},
                 .difference = {}};
  auto digest = digest_of(rebuilt.connection());
  if (!digest) return std::unexpected(digest.error());
  report.digest = std::move(*digest);
  if (compares)
    if (auto compared = compare(**kept, rebuilt, report); !compared) return std::unexpected(compared.error());
  if (verify == Verify::yes) {
    made->reset();
    if (auto removed = remove_database(beside); !removed) return std::unexpected(removed.error());
    return report;
  }
  if (*kept)
    if (auto closed = (*kept)->close(); !closed) return std::unexpected(closed.error());
  kept->reset();
  if (auto closed = rebuilt.close(); !closed) return std::unexpected(closed.error());
  if (auto installed = install(beside, path); !installed) return std::unexpected(installed.error());
  return report;
}

}  // namespace

Result<std::vector<Rebuilt>> rebuild(const std::vector<Projection*>& projections, log::EventLog& log,
                                     const std::string& directory, const std::string& name, Verify verify) {
  core::SystemDisk disk;
  if (auto made = disk.make_directories(directory); !made) return std::unexpected(made.error());
  std::vector<Rebuilt> reports;
  for (auto* projection : projections) {
    if (!name.empty() && projection->name() != name) continue;
    auto report = rebuild_one(*projection, log, directory, verify);
    if (!report) return core::pass_on(report.error(), "rebuilding projection " + projection->name());
    reports.push_back(std::move(*report));
  }
  if (reports.empty() && !name.empty())
    return core::fail(Code::not_found, fmt::format("There is no projection named {}.", name));
  return reports;
}

}  // namespace headrace::store
