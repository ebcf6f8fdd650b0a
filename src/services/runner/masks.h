// Masks hides secrets in what a job prints: every occurrence becomes ***. A secret is hidden as it is and as programs
// like to print it: each line of it, in base64 (whatever stands before it: three alignments; both alphabets),
// URL-encoded, and escaped for JSON, XML, a shell.
//
// Where masked parts touch or overlap they become one ***. Time is linear in the text, whatever it is and however many
// secrets there are; text in which nothing could begin a secret passes at memory speed. Loop thread only.
// GitHub Docs, "Workflow commands", "Masking a value in a log".
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace headrace::runner {

inline constexpr size_t mask_secret_bytes_max = 64 * 1024;          // one secret; GitHub's own bound is 48 KiB
inline constexpr size_t mask_patterns_bytes_max = size_t{4} << 20;  // all forms of all secrets
inline constexpr size_t mask_line_min = 3;     // shorter lines of a secret of many lines are not hidden on their own
inline constexpr size_t mask_encoded_min = 4;  // shorter encoded forms are not hidden: they occur everywhere

class Masks {
 public:
  // From here on. Blank ones are ignored. exhausted: too large, or too many.
  core::Result<> add(std::string_view secret);
  bool empty() const { return bytes_ == 0; }

  std::string masked(std::string_view text) const;
  bool holds_secret(std::string_view text) const;

  // Of a text that comes in pieces: appends to `out` what is certain and returns how many of its last bytes may be the
  // beginning of a secret: the caller puts them before the next piece. The last piece keeps nothing back.
  struct Between {        // pieces; as it is made at the start of the text
    size_t covered = 0;   // so many of the bytes kept back are hidden already
    bool hidden = false;  // the *** that hides them, or what was just before them, has been written
  };
  size_t mask(std::string_view text, Between& between, bool last, std::string& out) const;

 private:
  // Aho and Corasick's automaton over the patterns; edges in lists, but of the root.
  class Automaton {
   public:
    void insert(std::string_view pattern);
    void seal() const;  // fail links, after insertions
    bool empty() const { return nodes_.size() == 1; }
    struct Hit {
      size_t begin, end;
    };
    // Appends merged hits, in order; returns the length of the longest suffix that begins a pattern.
    size_t scan(std::string_view text, std::vector<Hit>& hits) const;

   private:
    struct Node {
      uint32_t child = 0, sibling = 0, fail = 0;
      uint32_t depth = 0;
      uint32_t longest = 0;  // of the patterns that end here, through fail links too
      bool ends = false;
      unsigned char byte = 0;
    };
    uint32_t child_of(uint32_t node, unsigned char byte) const;
    mutable std::vector<Node> nodes_{1};
    std::array<uint32_t, 256> root_{};
    // Wu and Manber: of the last two bytes of a window as wide as the shortest pattern, how far the window may move
    // before a pattern could begin in it. 0: look closer.
    size_t candidate(std::string_view text, size_t from) const;
    mutable std::vector<uint8_t> shift_;
    mutable size_t window_ = 0;
    mutable bool sealed_ = true;
  };
  core::Result<> add_forms(std::string_view secret);
  core::Result<> insert(std::string pattern, size_t shortest);

  // Secrets are told one by one while a job prints: new ones go to a small automaton that is joined to the large one
  // now and then, so that telling many costs no more than printing them.
  Automaton settled_, recent_;
  std::vector<std::string> recent_patterns_;
  size_t bytes_ = 0;
};

}  // namespace headrace::runner
