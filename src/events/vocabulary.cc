#include "events/vocabulary.h"

#include <algorithm>

#include "core/json.h"
#include "events/codec.h"

namespace headrace::events {

namespace {

const std::vector<Word>& words() {
  static const std::vector<Word> list = [] {
    std::vector<Word> all;
    for (const auto& entry : codec::all_entries()) all.push_back(entry.word);
    return all;
  }();
  return list;
}

}  // namespace

const std::vector<codec::Entry>& codec::all_entries() {
  static const std::vector<Entry> list = [] {
    std::vector<Entry> all;
    for (auto part : {repository_words(), pipeline_words(), trigger_words(), runner_words(), test_words(),
                      artifact_words(), identity_words(), settings_words(), bus_words()})
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return list;
}

const codec::Entry* codec::find_entry(std::string_view type) {
  auto today = todays_type(type);
  auto found = std::ranges::find_if(all_entries(), [&](const Entry& entry) { return entry.word.type == today; });
  return found == all_entries().end() ? nullptr : &*found;
}

std::span<const Word> all_words() { return words(); }

const Word* find_word(std::string_view type) {
  auto today = todays_type(type);
  auto found = std::ranges::find_if(words(), [&](const Word& word) { return word.type == today; });
  return found == words().end() ? nullptr : &*found;
}

std::string schema_of(const Word& word) {
  const auto* entry = codec::find_entry(word.type);
  core::require(entry != nullptr, "the word is of the vocabulary");
  return core::to_pretty_text(entry->schema(word));
}

core::Result<> check_word(const Event& event) {
  const auto* entry = codec::find_entry(event.type);
  if (!entry)
    return core::fail(core::Code::not_found, "The type " + event.type + " is not of the platform's vocabulary.");
  if (auto fault = entry->fault(event)) return std::unexpected(*fault);
  return {};
}

}  // namespace headrace::events
