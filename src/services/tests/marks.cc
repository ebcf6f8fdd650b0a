#include "services/tests/marks.h"

#include <algorithm>

#include "report/varint.h"

namespace headrace::tests {

using report::Outcome;

namespace {

constexpr unsigned flag_flaky = 8;

}  // namespace

void append_marks(std::string& blob, std::vector<Mark> marks) {
  std::ranges::stable_sort(marks, {}, &Mark::test);
  report::put_varint(blob, marks.size());
  int64_t before = 0;
  for (const Mark& mark : marks) {
    report::put_varint(blob, static_cast<uint64_t>(mark.test - before));
    before = mark.test;
    blob.push_back(static_cast<char>(static_cast<unsigned>(mark.outcome) | (mark.flaky ? flag_flaky : 0)));
    report::put_varint(blob, mark.microseconds ? static_cast<uint64_t>(*mark.microseconds) + 1 : 0);
  }
}

std::vector<Mark> marks_of(std::string_view blob) {
  std::vector<Mark> marks;
  report::VarintReader in(blob);
  while (!in.rest().empty()) {
    uint64_t count = in.number();
    int64_t test = 0;
    for (uint64_t i = 0; i < count && !in.failed(); ++i) {
      test += static_cast<int64_t>(in.number());
      unsigned what = in.byte();
      uint64_t time = in.number();
      if (in.failed() || (what & 7) > static_cast<unsigned>(Outcome::not_run)) return marks;
      Mark mark{.test = test, .outcome = static_cast<Outcome>(what & 7), .flaky = (what & flag_flaky) != 0};
      if (time > 0) mark.microseconds = static_cast<int64_t>(time - 1);
      marks.push_back(mark);
    }
  }
  std::ranges::stable_sort(marks, {}, &Mark::test);
  return marks;
}

Kind kind_of(Outcome outcome) {
  if (report::is_bad(outcome)) return Kind::bad;
  return outcome == Outcome::passed ? Kind::good : Kind::neither;
}

}  // namespace headrace::tests
