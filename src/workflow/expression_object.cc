// Objects: members in order, and from a size on an index of their keys. A tree, so that no choice of keys makes it
// slow.
#include "workflow/expression_text.h"
#include "workflow/expression_value.h"

namespace headrace::workflow {
namespace {

constexpr size_t linear_max = 8;  // members that are looked through one by one

bool same(std::string_view left, std::string_view right, Object::Keys keys) {
  return keys == Object::Keys::exact ? left == right : equal_in_any_case(left, right);
}

std::string indexed(std::string_view key, Object::Keys keys) {
  return keys == Object::Keys::exact ? std::string(key) : fold_case(key);
}

}  // namespace

Object::Object(std::initializer_list<Member> members) {
  for (const Member& member : members) set(member.first, member.second);
}

size_t Object::place_of(std::string_view key) const {
  if (!by_key_.empty()) {
    auto found = by_key_.find(indexed(key, keys_));
    return found == by_key_.end() ? members_.size() : found->second;
  }
  size_t place = 0;
  while (place < members_.size() && !same(members_[place].first, key, keys_)) ++place;
  return place;
}

void Object::set(std::string key, Value value) {
  size_t place = place_of(key);
  if (place < members_.size()) {
    members_[place].second = std::move(value);
    return;
  }
  members_.emplace_back(std::move(key), std::move(value));
  if (members_.size() <= linear_max) return;
  size_t from = by_key_.empty() ? 0 : place;
  for (size_t i = from; i < members_.size(); ++i) by_key_.emplace(indexed(members_[i].first, keys_), i);
}

const Value* Object::find(std::string_view key) const {
  size_t place = place_of(key);
  return place < members_.size() ? &members_[place].second : nullptr;
}

}  // namespace headrace::workflow
