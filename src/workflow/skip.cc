// What a commit's message says about running. GitHub, "Skipping workflow runs".
#include "workflow/trigger.h"

namespace headrace::workflow {
namespace {

constexpr std::string_view words[] = {"[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]"};
constexpr std::string_view trailers[] = {"\n\n\nskip-checks:true", "\n\n\nskip-checks: true"};

std::string in_lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return out;
}

// Without the ends of lines that a Windows editor left, and the last ones.
std::string in_plain_lines(std::string text) {
  std::erase(text, '\r');
  while (text.ends_with('\n') || text.ends_with(' ')) text.pop_back();
  return text;
}

}  // namespace

std::string skip_word(std::string_view message) {
  std::string text = in_plain_lines(in_lower_case(message));
  for (std::string_view word : words) {
    if (text.find(word) != std::string::npos) return std::string(word);
  }
  for (std::string_view trailer : trailers) {
    if (text.ends_with(trailer)) return std::string(trailer.substr(3));
  }
  return {};
}

}  // namespace headrace::workflow
