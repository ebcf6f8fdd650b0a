#include "services/pipeline/run_words.h"

#include <algorithm>
#include <charconv>

namespace headrace::pipeline {

namespace {

constexpr size_t commit_digits_least = 4;  // fewer say nothing

int64_t number_in(std::string_view word) {
  if (word.starts_with('#')) word.remove_prefix(1);
  int64_t number = -1;
  auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  return error == std::errc() && end == word.data() + word.size() ? number : -1;
}

void fold_into(std::string& folded, std::string_view text) {
  for (char letter : text)
    folded.push_back(letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter);
}

}  // namespace

std::string folded_ascii(std::string_view text) {
  std::string folded;
  fold_into(folded, text);
  return folded;
}

RunWords::RunWords(std::string_view text) {
  constexpr std::string_view spaces = " \t\r\n";
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(spaces), text.size()));
    if (text.empty()) return;
    const auto end = std::min(text.find_first_of(spaces), text.size());
    Word word{.text = folded_ascii(text.substr(0, end))};
    word.number = number_in(word.text);
    word.commit =
        word.text.size() >= commit_digits_least && word.text.find_first_not_of("0123456789abcdef") == std::string::npos;
    words_.push_back(std::move(word));
    text.remove_prefix(end);
  }
}

bool RunWords::fit(const SearchedRun& run) const {
  std::string texts;  // a line each: no word goes from one to the next
  for (std::string_view text : run.texts) {
    fold_into(texts, text);
    texts.push_back('\n');
  }
  return std::ranges::all_of(words_, [&](const Word& word) {
    return texts.contains(word.text) || (word.number >= 0 && (word.number == run.id || word.number == run.number)) ||
           (word.commit && run.commit.starts_with(word.text));
  });
}

}  // namespace headrace::pipeline
