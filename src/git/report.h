// What a push is told at its end: report-status (gitprotocol-pack(5)), and the bands of side-band-64k. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "git/pkt_line.h"

namespace headrace::git {

enum class Band : char { data = 1, words = 2 };  // words appear as "remote: ..." at the client
// `text` in as many packets as it needs.
std::string on_band(Band band, std::string_view text);

// `unpacked`: "ok", or why not. `troubles`, one for each change, in their order: empty, or why that ref did not move.
// With its end; nothing of it where the client asked for no report.
std::string push_report(const PushHead& head, std::string_view unpacked, const std::vector<std::string>& troubles);

}  // namespace headrace::git
