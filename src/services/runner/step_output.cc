#include "services/runner/step_output.h"

namespace headrace::runner {

namespace {

std::string_view without_cr(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// "##[" may stand anywhere in a line; blocks without it need no such look at each.
bool holds_brackets(std::string_view block) {
  for (size_t at = block.find('#'); at != std::string_view::npos; at = block.find('#', at + 1))
    if (block.substr(at + 1, 2) == "#[") return true;
  return false;
}

// What may_be_command() is true of begins so, unless it holds "##[".
bool begins_like_command(std::string_view line) {
  return !line.empty() && (line.front() == ':' || line.front() == ' ' || (line.front() >= 9 && line.front() <= 13));
}

}  // namespace

void StepOutput::add(std::string_view bytes) {
  auto first = bytes.find('\n');
  if (!rest_.empty() || long_) {
    if (long_) {
      long_line(bytes.substr(0, first), first != std::string_view::npos);
    } else {
      rest_.append(bytes.substr(0, first));
      if (first != std::string_view::npos) {
        std::string line = std::move(rest_);
        rest_.clear();
        one_line(line);
      } else if (rest_.size() > log_line_max) {
        std::string begin = std::move(rest_);
        rest_.clear();
        long_line(begin, false);
      }
    }
    if (first == std::string_view::npos) return;
    bytes.remove_prefix(first + 1);
  }
  auto last = bytes.rfind('\n');
  if (last != std::string_view::npos) {
    whole_lines(bytes.substr(0, last + 1));
    bytes.remove_prefix(last + 1);
  }
  if (bytes.size() > log_line_max) return long_line(bytes, false);
  rest_.assign(bytes);
}

void StepOutput::end() {
  if (long_) return long_line({}, true);
  if (rest_.empty()) return;
  std::string line = std::move(rest_);
  rest_.clear();
  one_line(line);
}

void StepOutput::whole_lines(std::string_view block) {
  bool every_line = !matchers_.empty();
  const bool brackets = !every_line && holds_brackets(block);
  size_t begin = 0;  // of the lines before this one that are only output
  for (size_t at = 0; at < block.size();) {
    size_t end = block.find('\n', at);
    auto line = block.substr(at, end - at);
    if (every_line || ((brackets || begins_like_command(line)) && may_be_command(line))) {
      if (begin < at) plain(block.substr(begin, at - begin));
      one_line(line);
      every_line = !matchers_.empty();  // the line may have been the command that adds the first one
      begin = end + 1;
    }
    at = end + 1;
  }
  if (begin < block.size()) plain(block.substr(begin));
}

void StepOutput::one_line(std::string_view line) {
  auto text = without_cr(line);
  if (commands_.take(text)) return;
  if (!matchers_.empty()) {
    auto problem = matchers_.match(text);
    for (const auto& removed : matchers_.removals()) problems_.matcher_removed(removed);
    if (problem) return problems_.problem(*problem, text);
  }
  plain(std::string(line) + "\n");
}

void StepOutput::plain(std::string_view block) {
  if (masks_.empty()) return lines_.add(block);
  masked_.clear();
  Masks::Between none;
  masks_.mask(block, none, true, masked_);
  lines_.add(masked_);
}

void StepOutput::long_line(std::string_view bytes, bool last) {
  if (!long_) between_ = {};
  long_ = !last;
  rest_.append(bytes);
  masked_.clear();
  size_t kept = masks_.mask(rest_, between_, last, masked_);
  rest_.erase(0, rest_.size() - kept);
  if (last) masked_ += '\n';
  lines_.add(masked_);
}

}  // namespace headrace::runner
