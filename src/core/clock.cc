#include "core/clock.h"

#include <fmt/format.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>

namespace headrace::core {

namespace asio = boost::asio;

Time SystemClock::now() const { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

Steady SystemClock::steady() const { return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now()); }

Task<> SystemClock::sleep_for(Duration duration) {
  asio::steady_timer timer(co_await asio::this_coro::executor, duration);
  co_await timer.async_wait(asio::use_awaitable);
}

namespace {

std::string fraction(int64_t nanoseconds) {
  if (nanoseconds == 0) return {};
  if (nanoseconds % 1'000'000 == 0) return fmt::format(".{:03}", nanoseconds / 1'000'000);
  if (nanoseconds % 1'000 == 0) return fmt::format(".{:06}", nanoseconds / 1'000);
  return fmt::format(".{:09}", nanoseconds);
}

// Reads what RFC 3339 allows from the front of a text, piece by piece; a piece that does not fit makes it false.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool number(size_t digits, int low, int high, int& value) {
    if (rest_.size() < digits) return false;
    for (size_t i = 0; i < digits; ++i)
      if (rest_[i] < '0' || rest_[i] > '9') return false;
    std::from_chars(rest_.data(), rest_.data() + digits, value);
    rest_.remove_prefix(digits);
    return value >= low && value <= high;
  }
  bool sign(std::string_view one_of, char& found) {
    if (rest_.empty() || one_of.find(rest_.front()) == std::string_view::npos) return false;
    found = rest_.front();
    rest_.remove_prefix(1);
    return true;
  }
  bool literal(std::string_view one_of) {
    char ignored;
    return sign(one_of, ignored);
  }
  // ".123456": up to nine digits count, more are cut. Absent is zero.
  bool fraction(int64_t& nanoseconds) {
    nanoseconds = 0;
    if (!literal(".")) return true;
    size_t digits = 0;
    for (; digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9'; ++digits)
      if (digits < 9) nanoseconds = nanoseconds * 10 + (rest_[digits] - '0');
    for (size_t i = digits; i < 9; ++i) nanoseconds *= 10;
    rest_.remove_prefix(digits);
    return digits > 0;
  }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

}  // namespace

std::string format_time(Time time) {
  auto day = std::chrono::floor<std::chrono::days>(time);
  std::chrono::year_month_day date(day);
  auto within = time - day;
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(within).count();
  auto rest = (within - std::chrono::seconds(seconds)).count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), seconds / 3600,
                     seconds / 60 % 60, seconds % 60, fraction(rest));
}

Result<Time> parse_time(std::string_view text) {
  auto wrong = [&](std::string_view why) {
    return fail(Code::invalid,
                fmt::format("'{}' is not a time as RFC 3339 writes it ({}); an example is 2026-11-23T07:16:00Z.",
                            text.substr(0, 64), why));
  };
  Reader in(text);
  int year, month, day, hour, minute, second, offset_hour = 0, offset_minute = 0;
  int64_t nanoseconds;
  char zone = 'Z';
  if (!in.number(4, 0, 9999, year) || !in.literal("-") || !in.number(2, 1, 12, month) || !in.literal("-") ||
      !in.number(2, 1, 31, day))
    return wrong("the date is year-month-day");
  if (!in.literal("Tt ")) return wrong("a T stands between date and time");
  if (!in.number(2, 0, 23, hour) || !in.literal(":") || !in.number(2, 0, 59, minute) || !in.literal(":") ||
      !in.number(2, 0, 60, second) || !in.fraction(nanoseconds))
    return wrong("the time is hour:minute:second");
  if (!in.sign("Zz+-", zone)) return wrong("the time zone is missing");
  bool shifted = zone == '+' || zone == '-';
  if (shifted && (!in.number(2, 0, 23, offset_hour) || !in.literal(":") || !in.number(2, 0, 59, offset_minute)))
    return wrong("an offset is +hour:minute or -hour:minute");
  if (!in.at_end()) return wrong("something follows it");
  std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                   std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return wrong("there is no such day");
  if (year < 1678 || year > 2261) return wrong("the year is out of range");  // what 64-bit nanoseconds hold
  auto offset = std::chrono::minutes(offset_hour * 60 + offset_minute);
  Time time = std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
              std::chrono::seconds(second) + std::chrono::nanoseconds(nanoseconds);
  return zone == '-' ? time + offset : time - offset;
}

}  // namespace headrace::core
