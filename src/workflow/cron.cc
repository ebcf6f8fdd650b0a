// Cron expressions of `schedule`: POSIX cron, five fields, UTC. GitHub, "Events that trigger workflows", "schedule".
#include <algorithm>
#include <bitset>
#include <charconv>
#include <expected>

#include "core/beginning.h"
#include "workflow/trigger.h"

namespace headrace::workflow {
namespace {

using Bits = std::bitset<64>;
constexpr size_t cron_bytes_max = 512;
constexpr std::string_view blanks = " \t\r\n";  // a block scalar ends with a line feed

struct Field {
  std::string_view name;
  int min, max;
  std::string_view names;  // three letters each, the first stands for min
};
constexpr Field fields[] = {{"minute", 0, 59, ""},
                            {"hour", 0, 23, ""},
                            {"day of the month", 1, 31, ""},
                            {"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
                            {"day of the week", 0, 6, "sunmontuewedthufrisat"}};

struct Cron {
  Bits minute, hour, day, month, weekday;
  bool any_day = false, any_weekday = false;
};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  return out;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

int number_in(std::string_view text, const Field& field) {  // -1: none
  std::string name = lower(text);
  for (size_t i = 0; name.size() == 3 && i < field.names.size(); i += 3) {
    if (field.names.substr(i, 3) == name) return field.min + static_cast<int>(i / 3);
  }
  int number = -1;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty() && text[0] != '-' ? number : -1;
}

// One item of a list: "*", "5", "1-5", "*/15", "10-40/5", "5/15".
bool add(std::string_view item, const Field& field, Bits& bits) {
  std::vector<std::string_view> halves = split(item, '/');
  if (halves.size() > 2) return false;
  int step = 1;
  if (halves.size() == 2) step = number_in(halves[1], {"", 0, field.max, ""});
  if (step < 1 || step > field.max) return false;
  int from = field.min, to = field.max;
  if (halves[0] != "*") {
    std::vector<std::string_view> ends = split(halves[0], '-');
    if (ends.size() > 2) return false;
    from = number_in(ends[0], field);
    to = ends.size() == 2 ? number_in(ends[1], field) : halves.size() == 2 ? field.max : from;
  }
  if (from < field.min || to > field.max || from > to) return false;
  for (int i = from; i <= to; i += step) bits.set(static_cast<size_t>(i));
  return true;
}

std::expected<Cron, std::string> parse(std::string_view text) {
  constexpr std::string_view remedy = " Write minute, hour, day of the month, month and day of the week: 30 5 * * 1-5.";
  auto refuse = [&](const std::string& why) {
    return std::unexpected("Invalid cron expression '" + std::string(core::beginning(text, cron_bytes_max)) +
                           "': " + why + std::string(remedy));
  };
  if (text.size() > cron_bytes_max) return refuse("it is longer than 512 bytes.");
  std::vector<std::string_view> parts;
  for (size_t at = 0; (at = text.find_first_not_of(blanks, at)) != std::string_view::npos;) {
    size_t end = std::min(text.find_first_of(blanks, at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end;
  }
  if (parts.size() == 1 && parts[0].starts_with('@')) return refuse("words such as @daily are not known here.");
  if (parts.size() != std::size(fields)) {
    return refuse("it has " + std::to_string(parts.size()) + " fields, not five.");
  }
  Bits bits[5];
  for (size_t i = 0; i < parts.size(); ++i) {
    for (std::string_view item : split(parts[i], ',')) {
      if (add(item, fields[i], bits[i])) continue;
      return refuse("'" + std::string(item) + "' is no " + std::string(fields[i].name) + ".");
    }
  }
  return Cron{bits[0], bits[1], bits[2], bits[3], bits[4], parts[2].starts_with('*'), parts[4].starts_with('*')};
}

// POSIX crontab: where both days are restricted, either is enough.
bool is_day(const Cron& cron, const std::chrono::year_month_day& date) {
  if (!cron.month[static_cast<unsigned>(date.month())]) return false;
  bool day = cron.day[static_cast<unsigned>(date.day())];
  bool weekday = cron.weekday[std::chrono::weekday(std::chrono::sys_days(date)).c_encoding()];
  return cron.any_day || cron.any_weekday ? day && weekday : day || weekday;
}

}  // namespace

std::string cron_problem(std::string_view cron) {
  auto read = parse(cron);
  return read ? std::string() : read.error();
}

std::optional<std::chrono::sys_seconds> next_time(std::string_view text, std::chrono::sys_seconds after) {
  using namespace std::chrono;
  auto cron = parse(text);
  if (!cron) return std::nullopt;
  auto start = floor<minutes>(after) + minutes(1);
  constexpr int days_max = 8 * 366;  // two leap days are at most eight years apart
  sys_days day = floor<days>(start);
  for (int i = 0; i < days_max; ++i, day += days(1)) {
    if (!is_day(*cron, year_month_day(day))) continue;
    int first = i == 0 ? static_cast<int>((start - day).count()) : 0;
    for (int minute = first; minute < 24 * 60; ++minute) {
      if (cron->hour[static_cast<size_t>(minute / 60)] && cron->minute[static_cast<size_t>(minute % 60)]) {
        return sys_seconds(day + minutes(minute));
      }
    }
  }
  return std::nullopt;
}

}  // namespace headrace::workflow
