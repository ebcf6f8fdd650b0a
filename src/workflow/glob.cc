// GitHub's filter patterns, matched by following all possibilities at once, so that no pattern costs more than its
// length times that of the text.
#include <bitset>
#include <string>
#include <vector>

#include "workflow/workflow.h"

namespace headrace::workflow {
namespace {

struct Atom {
  enum class Repeat { once, optional, some, any };  // once; ?; +; as * does
  std::bitset<256> bytes;
  Repeat repeat = Repeat::once;
  size_t skip = 0;  // a leading "**/" may stand for nothing: go on so many atoms later
};

std::bitset<256> all_bytes() { return std::bitset<256>().set(); }

std::bitset<256> one(char c) {
  std::bitset<256> bytes;
  bytes.set(static_cast<unsigned char>(c));
  return bytes;
}

// Reads "[a-z0-9]" at `at`, which is moved behind it; a "[" without an end stands for itself.
std::bitset<256> character_class(std::string_view pattern, size_t& at) {
  size_t end = pattern.find(']', at + 1);
  if (end == std::string_view::npos || end == at + 1) return one(pattern[at++]);
  std::bitset<256> bytes;
  for (size_t i = at + 1; i < end; ++i) {
    auto first = static_cast<unsigned char>(pattern[i]);
    auto last = first;
    if (i + 2 < end && pattern[i + 1] == '-') {
      last = static_cast<unsigned char>(pattern[i + 2]);
      i += 2;
    }
    for (unsigned c = first; c <= last; ++c) bytes.set(c);
  }
  at = end + 1;
  return bytes;
}

class Glob {
 public:
  explicit Glob(std::string_view pattern) {
    for (size_t at = 0; at < pattern.size();) read(pattern, at);
  }

  bool matches(std::string_view text) const {
    std::vector<bool> now(atoms_.size() + 1), next;
    enter(now, 0);
    for (char c : text) {
      next.assign(atoms_.size() + 1, false);
      for (size_t i = 0; i < atoms_.size(); ++i) {
        if (now[i] && atoms_[i].skip == 0 && atoms_[i].bytes[static_cast<unsigned char>(c)]) step(next, i);
      }
      now.swap(next);
    }
    return now[atoms_.size()];
  }

 private:
  void read(std::string_view pattern, size_t& at) {
    char c = pattern[at];
    if (c == '*') return star(pattern, at);
    bool repeats = (c == '?' || c == '+') && !atoms_.empty() && atoms_.back().repeat == Atom::Repeat::once;
    if (repeats) {
      atoms_.back().repeat = c == '?' ? Atom::Repeat::optional : Atom::Repeat::some;
      ++at;
    } else if (c == '[') {
      atoms_.push_back({character_class(pattern, at)});
    } else {
      if (c == '\\' && at + 1 < pattern.size()) ++at;
      atoms_.push_back({one(pattern[at++])});
    }
  }

  void star(std::string_view pattern, size_t& at) {
    bool at_segment = at == 0 || pattern[at - 1] == '/';
    bool two = pattern.substr(at).starts_with("**");
    at += two ? 2 : 1;
    if (two && at_segment && pattern.substr(at).starts_with('/')) {
      atoms_.push_back({{}, Atom::Repeat::once, 3});
      atoms_.push_back({all_bytes(), Atom::Repeat::any});
      atoms_.push_back({one('/')});
      ++at;
    } else {
      atoms_.push_back({two ? all_bytes() : all_bytes() ^ one('/'), Atom::Repeat::any});
    }
  }

  // State i: everything before atom i has matched. What may match nothing is passed at once.
  void enter(std::vector<bool>& states, size_t i) const {
    while (!states[i]) {
      states[i] = true;
      if (i == atoms_.size()) return;
      const Atom& atom = atoms_[i];
      if (atom.skip > 0) {  // into the "**" and the "/" behind it, and past both
        states[i + 1] = states[i + 2] = true;
        i += atom.skip;
        continue;
      }
      if (atom.repeat != Atom::Repeat::optional && atom.repeat != Atom::Repeat::any) return;
      ++i;
    }
  }

  void step(std::vector<bool>& next, size_t i) const {
    Atom::Repeat repeat = atoms_[i].repeat;
    enter(next, i + 1);
    if (repeat == Atom::Repeat::any || repeat == Atom::Repeat::some) next[i] = true;
  }

  std::vector<Atom> atoms_;
};

}  // namespace

bool matches(const Patterns& patterns, std::string_view text) {
  bool matched = false;
  for (const std::string& pattern : patterns) {
    bool negated = pattern.starts_with('!');
    if (Glob(std::string_view(pattern).substr(negated ? 1 : 0)).matches(text)) matched = !negated;
  }
  return matched;
}

}  // namespace headrace::workflow
