// Words that a run is looked for by: "cart #7 fix". Each must be found: within its title, the names of its workflow,
// repository, branch or actor; as the beginning of its commit (four digits or more); or as its id or number, with or
// without the sign. Without case, as far as ASCII goes. The pages ask the same of what they hear:
// web/src/lib/runFilter.ts.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace headrace::pipeline {

std::string folded_ascii(std::string_view text);

struct SearchedRun {
  int64_t id = 0, number = 0;
  std::string_view commit;
  std::array<std::string_view, 5> texts;
};

class RunWords {
 public:
  explicit RunWords(std::string_view text);
  bool empty() const { return words_.empty(); }
  bool fit(const SearchedRun& run) const;

 private:
  struct Word {
    std::string text;     // folded
    int64_t number = -1;  // what it says, with or without the sign
    bool commit = false;  // it could be how one begins
  };
  std::vector<Word> words_;
};

}  // namespace headrace::pipeline
