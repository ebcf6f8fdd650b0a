// Dead letters: an event was refused as often as its subscription allows.
#include <utility>

#include "bus/consumer.h"
#include "core/diagnostics.h"

namespace headrace::bus {

namespace {

constexpr Duration say_again_after = std::chrono::seconds(10);

DeadLetter letter_from(const std::string& subscription, const Trouble& trouble) {
  return {.subscription = subscription,
          .offset = trouble.offset,
          .key = trouble.key,
          .attempts = trouble.attempts,
          .error = trouble.error,
          .since = trouble.due,
          .holds = trouble.holds};
}

}  // namespace

Trouble& Consumer::trouble_at(Offset offset) {
  auto [place, made] = troubles_.try_emplace(offset);
  if (made) {
    place->second.offset = offset;
    if (auto item = items_.find(offset); item != items_.end()) place->second.key = item->second.key;
  }
  changed_troubles_.insert(offset);
  gone_troubles_.erase(offset);
  return place->second;
}

void Consumer::forget_trouble(Offset offset) {
  auto place = troubles_.find(offset);
  if (place == troubles_.end()) return;
  dead_ -= place->second.state == Trouble::State::dead;
  troubles_.erase(place);
  unsaid_.erase(offset);
  changed_troubles_.erase(offset);
  gone_troubles_.insert(offset);
}

void Consumer::die(Offset offset) {
  Trouble& trouble = trouble_at(offset);
  Item& item = items_.at(offset);
  trouble.state = Trouble::State::dead;
  trouble.due = house_.clock.now();
  trouble.holds = subscription_.on_dead == OnDead::hold && !item.key.empty() && !item.extra;
  trouble.said = false;
  if (++dead_ >= dead_letters_max)
    pause("It has " + std::to_string(dead_) + " dead letters: replay or discard them, then resume.");
  if (trouble.holds) {
    item.state = State::dead;
    block(offset);
  } else {
    leave(offset);
  }
  progress();
  house_.settled();
  unsaid_.insert(offset);
  say_unsaid();
}

void Consumer::say_unsaid() {
  if (unsaid_.empty() || stopping_ || std::exchange(saying_, true)) return;
  tasks_.spawn("dead letters of " + name(), say_letters());
}

// One after the other, until each is on the log.
core::Task<> Consumer::say_letters() {
  while (!unsaid_.empty()) {
    auto said = co_await say_dead(*unsaid_.begin());
    if (said) continue;
    core::diagnose(core::Level::error, "bus",
                   "saying that a delivery of " + name() + " is dead: " + said.error().message);
    co_await house_.clock.sleep_for(say_again_after);
  }
  saying_ = false;
}

core::Task<core::Result<>> Consumer::say_dead(Offset offset) {
  const Trouble dead = troubles_.at(offset);
  Shared original;
  if (auto read = house_.log.read(offset, 1); read && !read->empty() && read->front().offset == offset)
    original = std::make_shared<const log::Stored>(std::move(read->front()));
  auto said = co_await house_.say_dead(name(), dead, std::move(original));
  if (!said) co_return said;
  auto trouble = troubles_.find(offset);
  const bool same = trouble != troubles_.end() && trouble->second.state == Trouble::State::dead &&
                    trouble->second.replays == dead.replays;
  if (!same) co_return core::Result<>{};  // replayed or discarded meanwhile; dead again, it is said again
  unsaid_.erase(offset);
  trouble_at(offset).said = true;
  house_.changed(*this, 1);
  co_return core::Result<>{};
}

core::Result<Trouble> Consumer::dead_letter(Offset offset) const {
  auto trouble = troubles_.find(offset);
  if (trouble == troubles_.end() || trouble->second.state != Trouble::State::dead)
    return core::fail(core::Code::not_found, "Subscription '" + name() + "' has no dead letter at offset " +
                                                 std::to_string(offset) +
                                                 ". `headrace dead-letter list` shows what there is.");
  return trouble->second;
}

std::vector<DeadLetter> Consumer::dead_letters(Offset after, size_t max) const {
  std::vector<DeadLetter> letters;
  for (auto place = troubles_.upper_bound(after); place != troubles_.end() && letters.size() < max; ++place)
    if (place->second.state == Trouble::State::dead) letters.push_back(letter_from(name(), place->second));
  return letters;
}

core::Result<> Consumer::replay(Offset offset) {
  if (auto dead = dead_letter(offset); !dead) return std::unexpected(dead.error());
  Trouble& trouble = trouble_at(offset);
  trouble.state = Trouble::State::replay;
  trouble.attempts = 0;
  ++trouble.replays;
  unsaid_.erase(offset);
  --dead_;
  if (items_.contains(offset)) {
    unblock(offset);
    make_ready(offset);
  } else if (started_ && (offset <= considered_to() || !wanted(offset))) {
    Item item{.stored = nullptr, .key = trouble.key, .extra = true, .work = nullptr};
    ++extras_;
    enter(offset, std::move(item));
  }
  dispatch();
  house_.changed(*this, 1);
  return {};
}

core::Result<> Consumer::discard(Offset offset) {
  if (auto dead = dead_letter(offset); !dead) return std::unexpected(dead.error());
  forget_trouble(offset);
  if (items_.contains(offset)) leave(offset);
  progress();
  dispatch();
  house_.changed(*this, 1);
  house_.settled();
  return {};
}

}  // namespace headrace::bus
