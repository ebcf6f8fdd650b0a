// rooms: report core
// Test reports: one of 100,000 cases read and packed for the log beside expat alone (Python's ElementTree, which is
// written in C), and what the worst files within the bounds cost, in time and in memory.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "report.h"
#include "report/pack.h"
#include "report/report.h"

namespace {

namespace bench = headrace::bench;
namespace report = headrace::report;

constexpr int rounds = 5;
constexpr size_t many = 100'000;

std::string ordinary(size_t cases) {
  std::string text = "<?xml version=\"1.0\" encoding=\"utf-8\"?><testsuites>";
  for (size_t i = 0; i < cases; ++i) {
    if (i % 100 == 0)
      text += std::string(i ? "</testsuite>" : "") + "<testsuite name=\"suite " + std::to_string(i / 100) + "\">";
    text += "<testcase classname=\"shop.cart.CartTest" + std::to_string(i % 100) + "\" name=\"adds up " +
            std::to_string(i) + "\" time=\"0.0" + std::to_string(i % 1000) + "\"";
    text +=
        i % 1000 == 7 ? "><failure message=\"3 is not 4\">at cart_test.cc:12\nat main.cc:3</failure></testcase>" : "/>";
  }
  return text + "</testsuite></testsuites>";
}

// As often as it fits into the largest file that is read, and into as many cases.
std::string filled(const std::string& piece, size_t times_max) {
  constexpr std::string_view head = "<testsuite>", tail = "</testsuite>";
  const size_t times = std::min(times_max, (report::file_bytes_max - head.size() - tail.size()) / piece.size());
  std::string text(head);
  text.reserve(report::file_bytes_max);
  for (size_t i = 0; i < times; ++i) text += piece;
  return text.append(tail);
}

std::vector<std::pair<std::string, std::string>> worst_files() {
  std::vector<std::pair<std::string, std::string>> files;
  const std::string name(300, 'n');
  files.emplace_back("200,000 cases with long names",
                     filled("<testcase name=\"" + name + "\" classname=\"c\"/>", report::cases_max));
  files.emplace_back("200,000 failures", filled("<testcase name=\"a\"><failure message=\"" + name.substr(0, 200) +
                                                    "\">at a.cc:1</failure></testcase>",
                                                report::cases_max));
  files.emplace_back("one text of 64 MiB", "<testsuite><testcase><failure>" +
                                               std::string(report::file_bytes_max - 100, 'x') +
                                               "</failure></testcase></testsuite>");
  files.emplace_back("entities alone", filled("&amp;", SIZE_MAX));
  files.emplace_back("empty elements alone", filled("<a/>", SIZE_MAX));
  files.emplace_back("attributes alone", filled("<a b='' c='' d='' e='' f='' g=''/>", SIZE_MAX));
  files.emplace_back("lines that look like places", filled(
                                                        "<testcase><failure>" +
                                                            [] {
                                                              std::string text;
                                                              while (text.size() < 60'000)
                                                                text += "at (a.js:1:b\na.cc:x: Failure\n";
                                                              return text;
                                                            }() +
                                                            "</failure></testcase>",
                                                        report::cases_max));
  return files;
}

struct Cost {
  double seconds = 0;    // of a processor
  double mebibytes = 0;  // at most, besides the file itself
};

double processor_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  auto of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return of(used.ru_utime) + of(used.ru_stime);
}

double resident_most() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return static_cast<double>(used.ru_maxrss) / 1024;
}

// In a process of its own, fed in pieces as the runner feeds it.
Cost cost_of(const std::string& text) {
  int ends[2];
  if (pipe(ends) != 0) return {-1, -1};
  const pid_t child = fork();
  if (child == 0) {
    const double before = resident_most(), began = processor_seconds();
    report::Reader reader;
    bool good = true;
    for (size_t at = 0; good && at < text.size(); at += 256 * 1024)
      good = reader.feed(std::string_view(text).substr(at, 256 * 1024)).has_value();
    auto read = reader.finish();
    if (read) report::pack(*read);
    Cost cost;
    cost.seconds = processor_seconds() - began;
    cost.mebibytes = resident_most() - before;
    _exit(write(ends[1], &cost, sizeof cost) == sizeof cost ? 0 : 1);
  }
  Cost cost;
  close(ends[1]);
  if (read(ends[0], &cost, sizeof cost) != sizeof cost) cost = {-1, -1};
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return cost;
}

void read_ordinary() {
  const std::string text = ordinary(many), file = "/tmp/headrace-reports-bench.xml";
  std::ofstream(file) << text;
  auto ours = [&] {
    return 1e3 * bench::seconds([&] {
             auto read = report::read(text);
             if (!read || read->cases.size() != many || report::pack(*read).told != many) std::abort();
           });
  };
  const std::string program = "python3 -c \"import time, xml.etree.ElementTree as e\nb=time.perf_counter()\ne.parse('" +
                              file + "')\nprint((time.perf_counter()-b)*1e3)\"";
  auto theirs = [&] { return std::atof(bench::first_line_of(program).c_str()); };
  auto sides = bench::alternate(rounds, ours, theirs);
  bench::Row row{.figure = "a report of 100,000 cases read and packed (" + std::to_string(text.size() >> 20) + " MiB)",
                 .unit = "ms",
                 .ours = sides.ours,
                 .reference = sides.reference,
                 .against = "ElementTree, read alone",
                 .better = bench::Better::lower,
                 .target = bench::at_most(500),
                 .note = {}};
  if (sides.reference <= 0) row.reference.reset();
  bench::print(row);
  unlink(file.c_str());
}

}  // namespace

int main() {
  read_ordinary();
  Cost most;
  std::string slowest, largest;
  for (const auto& [name, text] : worst_files()) {
    auto cost = cost_of(text);
    if (cost.seconds > most.seconds) slowest = name;
    if (cost.mebibytes > most.mebibytes) largest = name;
    most = {std::max(most.seconds, cost.seconds), std::max(most.mebibytes, cost.mebibytes)};
  }
  bench::print({.figure = "the slowest file of 64 MiB within the bounds, processor time",
                .unit = "ms",
                .ours = 1e3 * most.seconds,
                .reference = {},
                .against = {},
                .better = bench::Better::lower,
                .target = bench::at_most(5000),
                .note = slowest});
  bench::print({.figure = "memory that a report takes while it is read, at most",
                .unit = "MiB",
                .ours = most.mebibytes,
                .reference = {},
                .against = {},
                .better = bench::Better::lower,
                .target = bench::at_most(256),
                .note = largest + "; one report is read at a time"});
}
