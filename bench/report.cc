#include "report.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <memory>

namespace headrace::bench {

namespace {

// Three significant digits, thousands apart: 128000 is "128,000", 0.01234 is "0.0123".
std::string number(double value) {
  char text[64];
  const double size = std::fabs(value);
  if (size != 0 && size < 100) {
    std::snprintf(text, sizeof text, "%.3g", value);
    return text;
  }
  std::snprintf(text, sizeof text, "%.0f", value);
  std::string digits = text;
  const size_t first = digits[0] == '-' ? 1 : 0;
  for (size_t at = digits.size(); at > first + 3;) digits.insert(at -= 3, ",");
  return digits;
}

std::string field(std::string text) {
  for (char& letter : text) {
    if (letter == '|') letter = '/';
    if (letter == '\n') letter = ' ';
  }
  return text;
}

std::string words_of(const Target& target, const std::string& unit) {
  switch (target.kind) {
    case Target::Kind::none: return "";
    case Target::Kind::ratio: return ">= " + number(target.value) + "x";
    case Target::Kind::at_most: return "<= " + number(target.value) + " " + unit;
    case Target::Kind::at_least: return ">= " + number(target.value) + " " + unit;
  }
  return "";
}

bool reached(const Row& row, std::optional<double> times) {
  switch (row.target.kind) {
    case Target::Kind::ratio: return times && *times >= row.target.value;
    case Target::Kind::at_most: return row.ours <= row.target.value;
    case Target::Kind::at_least: return row.ours >= row.target.value;
    case Target::Kind::none: break;
  }
  return true;
}

}  // namespace

std::optional<double> ratio_of(const Row& row) {
  if (!row.reference) return std::nullopt;
  const double upper = row.better == Better::higher ? row.ours : *row.reference;
  const double lower = row.better == Better::higher ? *row.reference : row.ours;
  if (lower <= 0) return std::nullopt;
  return upper / lower;
}

void print(const Row& row) {
  const auto times = ratio_of(row);
  const std::string ours = number(row.ours) + " " + row.unit;
  const std::string reference =
      row.reference ? number(*row.reference) + " " + row.unit + ", " + row.against : row.against;
  const std::string verdict = row.target.kind == Target::Kind::none ? "" : reached(row, times) ? "reached" : "MISSED";
  std::printf("row|%s|%s|%s|%s|%s|%s|%s\n", field(row.figure).c_str(), field(ours).c_str(), field(reference).c_str(),
              times ? (number(*times) + "x").c_str() : "", field(words_of(row.target, row.unit)).c_str(),
              verdict.c_str(), field(row.note).c_str());
  std::fflush(stdout);
}

void print_version(const std::string& name, const std::string& text) {
  std::printf("version|%s|%s\n", field(name).c_str(), field(text).c_str());
  std::fflush(stdout);
}

void print_skip(const std::string& figure, const std::string& reason) {
  std::printf("skip|%s|%s\n", field(figure).c_str(), field(reason).c_str());
  std::fflush(stdout);
}

Sides alternate(int rounds, const std::function<double()>& ours, const std::function<double()>& reference) {
  std::vector<double> a;
  std::vector<double> b;
  for (int round = 0; round < rounds; ++round) {
    a.push_back(ours());
    b.push_back(reference());
  }
  return {median(std::move(a)), median(std::move(b))};
}

double median(std::vector<double> values) { return quantile(std::move(values), 0.5); }

double quantile(std::vector<double> values, double fraction) {
  std::sort(values.begin(), values.end());
  const auto last = static_cast<double>(values.size() - 1);
  return values[static_cast<size_t>(std::lround(last * fraction))];
}

double seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::string first_line_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen((command + " 2>/dev/null").c_str(), "r"), &pclose);
  char line[256];
  if (!pipe || std::fgets(line, sizeof line, pipe.get()) == nullptr) return "";
  std::string text = line;
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

}  // namespace headrace::bench
