#include "filter/functions.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>

#include "filter/text.h"

namespace headrace::filter {
namespace {

using Arguments = std::span<const View>;

std::string_view text_of(const View& value) { return *std::get_if<std::string_view>(&value); }
int32_t number_of(const View& value) { return *std::get_if<int32_t>(&value); }

View length(Arguments a, FunctionCall&) { return static_cast<int32_t>(character_count(text_of(a[0]))); }

View joined(Arguments parts, std::string_view between, FunctionCall& call) {
  size_t bytes = 0;
  for (const View& part : parts) bytes += text_of(part).size() + between.size();
  if (bytes > value_bytes_max) {
    call.fail(ErrorKind::function_evaluation, "The text would be longer than 1 MiB; concatenate less.");
    return std::string_view();
  }
  std::string out;
  out.reserve(bytes);
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out.append(between);
    out.append(text_of(parts[i]));
  }
  return call.keep(std::move(out));
}

View concat(Arguments a, FunctionCall& call) { return joined(a, {}, call); }
View concat_ws(Arguments a, FunctionCall& call) { return joined(a.subspan(1), text_of(a[0]), call); }
View lower(Arguments a, FunctionCall& call) { return call.keep(to_lower(text_of(a[0]))); }
View upper(Arguments a, FunctionCall& call) { return call.keep(to_upper(text_of(a[0]))); }
View trimmed(Arguments a, FunctionCall&) { return trim(text_of(a[0])); }
View as_is(Arguments a, FunctionCall&) { return a[0]; }

bool refuse_negative(int32_t count, std::string_view what, FunctionCall& call) {
  if (count >= 0) return false;
  call.fail(ErrorKind::function_evaluation,
            std::string(what) + " is " + std::to_string(count) + "; it must be 0 or more.");
  return true;
}

View left(Arguments a, FunctionCall& call) {
  if (refuse_negative(number_of(a[1]), "The number of characters LEFT shall take", call)) return a[0];
  std::string_view text = text_of(a[0]);
  return text.substr(0, skip_characters(text, static_cast<size_t>(number_of(a[1]))));
}

View right(Arguments a, FunctionCall& call) {
  if (refuse_negative(number_of(a[1]), "The number of characters RIGHT shall take", call)) return a[0];
  std::string_view text = text_of(a[0]);
  size_t at = last_characters(text, static_cast<size_t>(number_of(a[1])));
  return at == std::string_view::npos ? text : text.substr(at);
}

View substring(Arguments a, FunctionCall& call) {
  std::string_view text = text_of(a[0]);
  int64_t from = number_of(a[1]);
  auto characters = static_cast<int64_t>(character_count(text));
  if (from > characters || from < -characters) {
    call.fail(ErrorKind::function_evaluation, "SUBSTRING shall start at " + std::to_string(from) + " of a text of " +
                                                  std::to_string(characters) + " characters; it must lie within.");
    return std::string_view();
  }
  bool limited = a.size() > 2;
  if (limited && refuse_negative(number_of(a[2]), "The length SUBSTRING shall take", call)) return std::string_view();
  if (from == 0) return std::string_view();
  text.remove_prefix(skip_characters(text, static_cast<size_t>(from > 0 ? from - 1 : characters + from)));
  if (limited) text = text.substr(0, skip_characters(text, static_cast<size_t>(number_of(a[2]))));
  return text;
}

View abs(Arguments a, FunctionCall& call) {
  int32_t value = number_of(a[0]);
  if (value == std::numeric_limits<int32_t>::min()) {
    call.fail(ErrorKind::math, "ABS of -2147483648 is no 32-bit Integer; the nearest is taken.");
    return std::numeric_limits<int32_t>::max();
  }
  return value < 0 ? -value : value;
}

constexpr Type boolean = Type::boolean, integer = Type::integer, string = Type::string;

constexpr Function functions[] = {
    {"ABS", 1, 1, integer, integer, integer, abs},
    {"BOOL", 1, 1, boolean, boolean, boolean, as_is},
    {"CONCAT", 0, SIZE_MAX, string, string, string, concat},
    {"CONCAT_WS", 1, SIZE_MAX, string, string, string, concat_ws},
    {"INT", 1, 1, integer, integer, integer, as_is},
    {"LEFT", 2, 2, string, integer, string, left},
    {"LENGTH", 1, 1, string, string, integer, length},
    {"LOWER", 1, 1, string, string, string, lower},
    {"RIGHT", 2, 2, string, integer, string, right},
    {"STRING", 1, 1, string, string, string, as_is},
    {"SUBSTRING", 2, 3, string, integer, string, substring},
    {"TRIM", 1, 1, string, string, string, trimmed},
    {"UPPER", 1, 1, string, string, string, upper},
};

std::string upper_name(std::string_view name) {
  std::string out(name);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return out;
}

Cast to_integer(View value) {
  if (const bool* b = std::get_if<bool>(&value)) return {static_cast<int32_t>(*b)};
  std::string_view text = text_of(value);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  int32_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {int32_t{0}, false};
  return {number};
}

Cast to_boolean(View value) {
  if (const int32_t* i = std::get_if<int32_t>(&value)) return {*i != 0};
  std::string_view text = text_of(value);
  if (equal_ignoring_case(text, "true")) return {true};
  return {false, equal_ignoring_case(text, "false")};
}

Cast to_string(View value, FunctionCall& call) {
  if (const bool* b = std::get_if<bool>(&value)) return {std::string_view(*b ? "true" : "false")};
  return {call.keep(std::to_string(number_of(value)))};
}

}  // namespace

const Function* find_function(std::string_view name, size_t arguments) {
  std::string wanted = upper_name(name);
  for (const Function& function : functions) {
    if (function.name == wanted && arguments >= function.least && arguments <= function.most) return &function;
  }
  return nullptr;
}

std::string why_no_function(std::string_view name, size_t arguments) {
  std::string wanted = upper_name(name);
  std::string names;
  for (const Function& function : functions) {
    if (function.name == wanted) {
      std::string takes = function.most == function.least ? std::to_string(function.least)
                          : function.most == SIZE_MAX
                              ? "at least " + std::to_string(function.least)
                              : std::to_string(function.least) + " or " + std::to_string(function.most);
      return wanted + " takes " + takes + " argument(s), not " + std::to_string(arguments) + ".";
    }
    names.append(names.empty() ? "" : ", ").append(function.name);
  }
  return "There is no function " + wanted + "; there are " + names + ".";
}

Cast cast(View value, Type to, FunctionCall& call) {
  if (type_of(value) == to) return {value};
  if (to == Type::integer) return to_integer(value);
  if (to == Type::boolean) return to_boolean(value);
  return to_string(value, call);
}

}  // namespace headrace::filter
