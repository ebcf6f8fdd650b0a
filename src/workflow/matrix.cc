#include "workflow/matrix.h"

#include <algorithm>

namespace headrace::workflow {
namespace {

constexpr size_t combinations_max = 65'536;  // before `exclude` takes some away

bool is_filter(std::string_view key) { return equal_in_any_case(key, "include") || equal_in_any_case(key, "exclude"); }

// The pattern of an entry: every scalar in it must be equal, as == has it; mappings may hold less than the value.
bool covers(const Value& pattern, const Value& value) {
  if (const Object* members = pattern.if_object()) {
    return std::ranges::all_of(*members, [&](const Object::Member& member) {
      const Value* found = value.find(member.first);
      return found != nullptr && covers(member.second, *found);
    });
  }
  if (const Array* items = pattern.if_array()) {
    const Array* others = value.if_array();
    if (others == nullptr || others->size() < items->size()) return false;
    return std::equal(items->begin(), items->end(), others->begin(), covers);
  }
  return value.is_primitive() && pattern.loosely_equals(value);
}

struct Combination {
  Object original;  // of the vectors
  Object all;       // with what include added
};

class Matrix {
 public:
  Matrix(const Evaluation& evaluation, const Node& node) : evaluation_(evaluation), node_(node) {}

  Evaluated<std::vector<Value>> legs(const Object& matrix) {
    if (auto failed = multiply(matrix)) return std::unexpected(std::move(*failed));
    if (auto failed = filter(matrix, "exclude", &Matrix::exclude)) return std::unexpected(std::move(*failed));
    products_ = combinations_.size();
    if (auto failed = filter(matrix, "include", &Matrix::include)) return std::unexpected(std::move(*failed));
    if (combinations_.size() > legs_max) {
      return std::unexpected(evaluation_.failure(
          node_, "The matrix has " + std::to_string(combinations_.size()) + " legs; at most " +
                     std::to_string(legs_max) + " may run for a workflow. Exclude some, or split the job."));
    }
    std::vector<Value> legs;
    for (Combination& one : combinations_) legs.emplace_back(std::move(one.all));
    return legs;
  }

 private:
  using Failed = std::optional<Failure>;

  Failed refuse(std::string message) const { return evaluation_.failure(node_, std::move(message)); }

  Failed multiply(const Object& matrix) {
    for (const auto& [key, value] : matrix) {
      if (is_filter(key)) continue;
      const Array* vector = value.if_array();
      if (vector == nullptr) return refuse("Matrix vector '" + key + "' must be a sequence of values");
      if (vector->empty()) return refuse("Matrix vector '" + key + "' does not contain any values");
      if (combinations_.empty() && keys_.empty()) combinations_.emplace_back();
      keys_.push_back(key);
      if (combinations_.size() * vector->size() > combinations_max) return refuse("The matrix has too many legs.");
      std::vector<Combination> more;
      for (const Combination& before : combinations_) {
        for (const Value& one : *vector) {
          more.push_back(before);
          more.back().original.set(key, one);
          more.back().all.set(key, one);
        }
      }
      combinations_ = std::move(more);
    }
    return {};
  }

  Failed filter(const Object& matrix, const std::string& name, Failed (Matrix::*apply)(const Object& entry)) {
    const Value* list = matrix.find(name);
    if (list == nullptr || list->is_null()) return {};
    const Array* entries = list->if_array();
    if (entries == nullptr) return refuse("Matrix " + name + " must be a sequence of mappings");
    for (const Value& one : *entries) {
      const Object* entry = one.if_object();
      if (entry == nullptr) return refuse("Matrix " + name + " must be a sequence of mappings");
      if (auto failed = (this->*apply)(*entry)) return failed;
    }
    return {};
  }

  bool is_key(std::string_view name) const {
    return std::ranges::any_of(keys_, [&](const std::string& key) { return equal_in_any_case(key, name); });
  }

  Failed exclude(const Object& entry) {
    for (const auto& [key, value] : entry) {
      if (!is_key(key)) return refuse("Matrix exclude key '" + key + "' does not match any key within the matrix");
    }
    std::erase_if(combinations_, [&](const Combination& one) { return covers(Value(entry), Value(one.original)); });
    return {};
  }

  // Added where it changes nothing that the vectors gave; where it fits nowhere it is a leg of its own.
  Failed include(const Object& entry) {
    bool added = false;
    for (size_t i = 0; i < products_; ++i) {
      Combination& one = combinations_[i];
      bool fits = std::ranges::all_of(entry, [&](const Object::Member& member) {
        const Value* original = one.original.find(member.first);
        return original == nullptr || covers(member.second, *original);
      });
      if (!fits) continue;
      added = true;
      for (const auto& [key, value] : entry) {
        if (one.original.find(key) == nullptr) one.all.set(key, value);
      }
    }
    if (!added) combinations_.push_back({Object(), entry});
    return combinations_.size() > combinations_max ? refuse("The matrix has too many legs.") : Failed();
  }

  const Evaluation& evaluation_;
  const Node& node_;
  std::vector<std::string> keys_;
  std::vector<Combination> combinations_;
  size_t products_ = 0;  // how many of them the vectors gave
};

void append(const Value& value, std::string& out) {
  if (const Object* members = value.if_object()) {
    for (const auto& [key, member] : *members) append(member, out);
  } else if (const Array* items = value.if_array()) {
    for (const Value& item : *items) append(item, out);
  } else if (std::string text = value.to_text(); !text.empty()) {
    out.append(out.empty() ? "" : ", ").append(text);
  }
}

}  // namespace

Evaluated<std::vector<Value>> matrix_legs(const Evaluation& evaluation, const Node& node) {
  if (node.at.line == 0) return std::vector<Value>(1);
  auto matrix = evaluation.value(node);
  if (!matrix) return std::unexpected(std::move(matrix.error()));
  const Object* members = matrix->if_object();
  if (members == nullptr) {
    return std::unexpected(evaluation.failure(
        node, "Unexpected value '" + matrix->to_text() + "'. A matrix is a mapping of names to sequences."));
  }
  return Matrix(evaluation, node).legs(*members);
}

std::string leg_suffix(const Value& matrix) {
  std::string out;
  append(matrix, out);
  return out;
}

}  // namespace headrace::workflow
