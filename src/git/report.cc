#include "git/report.h"

#include <fmt/format.h>

#include <algorithm>

namespace headrace::git {
namespace {

constexpr size_t band_bytes_max = packet_bytes_max - 5;  // without the length and the band

std::string_view line_of(std::string_view text) { return text.substr(0, text.find('\n')); }

}  // namespace

std::string on_band(Band band, std::string_view text) {
  std::string packets;
  for (size_t begin = 0; begin < text.size(); begin += band_bytes_max) {
    std::string part(1, static_cast<char>(band));
    part += text.substr(begin, band_bytes_max);
    packets += to_packet(part);
  }
  return packets;
}

std::string push_report(const PushHead& head, std::string_view unpacked, const std::vector<std::string>& troubles) {
  std::string report;
  if (head.has("report-status") || head.has("report-status-v2")) {
    report = to_packet(fmt::format("unpack {}\n", line_of(unpacked)));
    for (size_t index = 0; index < head.changes.size(); ++index) {
      const auto& ref = head.changes[index].ref;
      report += to_packet(troubles[index].empty() ? fmt::format("ok {}\n", ref)
                                                  : fmt::format("ng {} {}\n", ref, line_of(troubles[index])));
    }
    report += flush_packet;
  }
  if (!head.has("side-band-64k")) return report;
  return on_band(Band::data, report) + std::string(flush_packet);
}

}  // namespace headrace::git
