#include "log/group.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "log/record.h"

namespace headrace::log {

namespace {

bool equal(ByteView a, ByteView b) { return text_of(a) == text_of(b); }

auto other_content(const EncodedEvent&, Offset offset) {
  return core::fail(core::Code::conflict,
                    fmt::format("An event with this source and id is stored already, at offset {}, "
                                "with other content; give the new event an id of its own.",
                                offset));
}

bool repeats_itself(const Submission& submission) {
  if (submission.events.size() < 2) return false;
  std::vector<uint64_t> hashes;
  for (const auto& event : submission.events) hashes.push_back(event.id.hash);
  std::ranges::sort(hashes);
  return std::ranges::adjacent_find(hashes) != hashes.end();
}

}  // namespace

Group::Group(Catalog& catalog, const IdIndex& ids, Offset first, size_t bytes_expected)
    : catalog_(catalog), ids_(ids), first_(first), table_(first) {
  bytes_.reserve(batch_header_bytes + bytes_expected);
  bytes_.resize(batch_header_bytes);
}

void Group::take(Submission submission) {
  auto answer = submission.refused ? core::Result<Appended>(std::unexpected(*submission.refused)) : decide(submission);
  waiting_.push_back({std::move(submission.done), std::move(answer), submission.durability});
}

core::Result<Appended> Group::decide(const Submission& submission) {
  auto duplicate = [&](std::vector<Offset> offsets) {
    ++duplicates_;
    return Appended{.offsets = std::move(offsets), .durability = submission.durability, .duplicate = true};
  };
  if (!submission.key.empty()) {
    auto seen = offsets_of_key(submission.key);
    if (!seen) return std::unexpected(seen.error());
    if (*seen) return duplicate(std::move(**seen));
  }
  auto stored = stored_offsets(submission);
  if (!stored) return std::unexpected(stored.error());
  if (std::ranges::find(*stored, Offset{0}) == stored->end()) return duplicate(std::move(*stored));
  if (auto holds = check_expected(submission); !holds) return std::unexpected(holds.error());
  return Appended{.offsets = add(submission, *stored), .durability = submission.durability};
}

core::Result<std::optional<std::vector<Offset>>> Group::offsets_of_key(const std::string& key) const {
  if (auto staged = keys_.find(key); staged != keys_.end()) return std::optional(staged->second);
  std::optional<std::vector<Offset>> offsets;
  auto found = ids_.find(ids_.batch(key), [&](Offset offset) -> core::Result<bool> {
    auto item = catalog_.item(offset, ItemKind::commit);
    if (!item) return std::unexpected(item.error());
    if (!*item) return false;
    auto commit = decode_commit((*item)->bytes());
    if (!commit || commit->key != key) return false;
    offsets = commit->all_offsets(offset);
    return true;
  });
  if (!found) return core::pass_on(found.error(), "looking for the key of a batch");
  return offsets;
}

core::Result<std::vector<Offset>> Group::stored_offsets(const Submission& submission) const {
  bool repeats = repeats_itself(submission);
  std::vector<Offset> offsets;
  for (size_t i = 0; i < submission.events.size(); ++i) {
    const EncodedEvent& event = submission.events[i];
    for (size_t k = 0; repeats && k < i; ++k)
      if (equal(submission.content(event).first(event.identity),
                submission.content(submission.events[k]).first(submission.events[k].identity)))
        return core::fail(core::Code::invalid,
                          fmt::format("Events {} and {} of the batch have the same source and id.", k + 1, i + 1));
    auto offset = stored_offset(submission, event);
    if (!offset) return std::unexpected(offset.error());
    offsets.push_back(*offset);
  }
  return offsets;
}

core::Result<bool> Group::compare(const Submission& submission, const EncodedEvent& event, Offset offset,
                                  const ItemHeader& stored, ByteView content) const {
  ByteView own = submission.content(event);
  if (content.size() < event.identity || !equal(content.first(event.identity), own.first(event.identity))) return false;
  if (stored.attributes == event.header.attributes && stored.flags == event.header.flags && equal(content, own))
    return true;
  return other_content(event, offset);
}

core::Result<Offset> Group::stored_offset(const Submission& submission, const EncodedEvent& event) const {
  Offset at = 0;
  auto staged = table_.find(event.id.hash, [&](Offset offset) -> core::Result<bool> {
    const Place& place = positions_[offset - first_];
    ByteView content = core::as_bytes(bytes_).subspan(place.position + item_header_bytes, place.header.length);
    at = offset;
    return compare(submission, event, offset, place.header, content);
  });
  if (!staged) return std::unexpected(staged.error());
  if (*staged) return at;
  auto found = ids_.find(event.id, [&](Offset offset) -> core::Result<bool> {
    auto item = catalog_.item(offset, ItemKind::event);
    if (!item) return std::unexpected(item.error());
    if (!*item) return false;
    at = offset;
    return compare(submission, event, offset, (*item)->header, (*item)->bytes());
  });
  if (!found) return std::unexpected(found.error());
  return *found ? at : 0;
}

core::Result<> Group::check_expected(const Submission& submission) const {
  for (const auto& expected : submission.expected) {
    Named last;
    if (auto staged = named_.find(expected.key); staged != named_.end()) {
      last = staged->second;
    } else {
      auto stored = named_last(catalog_, ids_, expected.key);
      if (!stored) return std::unexpected(stored.error());
      last = *stored;
    }
    if (last.ended != expected.offset)
      return core::fail(
          core::Code::conflict,
          fmt::format("\"{}\" has moved on: its last batch ended at offset {}, not {}. Look again and decide anew.",
                      expected.key, last.ended, expected.offset));
  }
  return {};
}

std::vector<Offset> Group::add(const Submission& submission, const std::vector<Offset>& stored) {
  Offset next = first_ + events();
  std::vector<Offset> offsets = stored;
  for (Offset& offset : offsets)
    if (offset == 0) offset = next++;
  auto added = static_cast<uint32_t>(next - first_ - events());
  if (!submission.key.empty() || !submission.expected.empty()) add_commit(submission, offsets, added);
  for (size_t i = 0; i < stored.size(); ++i)
    if (stored[i] == 0) add_event(submission, submission.events[i]);
  return offsets;
}

void Group::add_commit(const Submission& submission, const std::vector<Offset>& offsets, uint32_t added) {
  Offset first = first_ + events();
  Commit commit;
  commit.events = added;
  commit.key = submission.key;
  for (const auto& expected : submission.expected) commit.expected.push_back(expected.key);
  if (added < offsets.size()) commit.offsets = offsets;
  std::string content = encode(commit);
  ItemHeader header{.length = static_cast<uint32_t>(content.size()), .offset = first, .kind = ItemKind::commit};
  header.attributes = header.length;
  commits_.push_back({static_cast<uint32_t>(bytes_.size()), header});
  bytes_.resize(bytes_.size() + item_header_bytes);
  bytes_ += content;
  bytes_.resize(aligned(bytes_.size(), item_alignment));
  if (!submission.key.empty()) {
    keys_.emplace(submission.key, offsets);
    key_ids_.emplace_back(ids_.batch(submission.key), first);
  }
  for (const auto& expected : submission.expected)
    named_.insert_or_assign(expected.key, Named{first, first + added - 1});
}

void Group::add_event(const Submission& submission, const EncodedEvent& event) {
  Offset offset = first_ + events();
  ItemHeader header = event.header;
  header.offset = offset;
  positions_.push_back({static_cast<uint32_t>(bytes_.size()), header, event.id});
  table_.insert(event.id, offset);
  bytes_.append(submission.items, event.start, aligned(item_header_bytes + header.length, item_alignment));
}

std::string Group::finish(BatchHeader& header, uint32_t seed) {
  for (const auto& place : positions_) stamp_item(place.header, seed, bytes_.data() + place.position);
  for (const auto& place : commits_) stamp_item(place.header, seed, bytes_.data() + place.position);
  header.first_offset = first_;
  header.events = events();
  return finish_batch(header, seed, std::move(bytes_));
}

void Group::store_ids(IdIndex& ids) const {
  for (size_t i = 0; i < positions_.size(); ++i) ids.insert(positions_[i].id, first_ + i);
  for (const auto& [id, offset] : key_ids_) ids.insert(id, offset);
  for (const auto& [expected, named] : named_) ids.name(expected, named);
}

void Group::answer(Durability durability) {
  for (auto& waiting : waiting_)
    if (waiting.done && waiting.durability == durability) std::exchange(waiting.done, {})(std::move(waiting.answer));
}

void Group::fail(const core::Error& error) {
  for (auto& waiting : waiting_) {
    if (!waiting.done) continue;
    if (waiting.answer) waiting.answer = std::unexpected(error);
    std::exchange(waiting.done, {})(std::move(waiting.answer));
  }
}

core::Result<Named> named_last(Catalog& catalog, const IdIndex& ids, std::string_view expected) {
  if (auto named = ids.named_in_memory(expected)) return *named;
  Named last;
  auto found = ids.find_named(expected, [&](Offset offset) -> core::Result<bool> {
    auto item = catalog.item(offset, ItemKind::commit);
    if (!item) return std::unexpected(item.error());
    if (!*item) return false;
    auto commit = decode_commit((*item)->bytes());
    if (!commit || std::ranges::find(commit->expected, expected) == commit->expected.end()) return false;
    last = {offset, offset + commit->events - 1};
    return true;
  });
  if (!found) return core::pass_on(found.error(), "looking for the last batch of an expected key");
  return last;
}

}  // namespace headrace::log
