// What /metrics says, in Prometheus' text format 0.0.4.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "net/server.h"
#include "server/platform.h"

namespace headrace::server {

// Writes families one after the other: # HELP, # TYPE, then the samples.
class Exposition {
 public:
  using Labels = std::vector<std::pair<std::string_view, std::string_view>>;
  void family(std::string_view name, std::string_view type, std::string_view help);  // samples that follow are its
  void sample(double value, const Labels& labels = {});
  std::string take() { return std::move(text_); }

 private:
  std::string family_;
  std::string text_;
};

double resident_bytes();  // memory of this process
std::string metrics_text(const Platform& platform, const net::ServerCounters& counters);

}  // namespace headrace::server
