// The functions of CESQL 3.5 and the casts INT, BOOL, STRING.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "filter/program.h"

namespace headrace::filter {

// What a function may use besides its arguments.
class FunctionCall {
 public:
  virtual std::string_view keep(std::string text) = 0;  // lives as long as the evaluation
  virtual void fail(ErrorKind kind, std::string message) = 0;

 protected:
  ~FunctionCall() = default;
};

struct Function {
  std::string_view name;      // upper case
  size_t least = 0;           // arguments
  size_t most = 0;            // SIZE_MAX: any number
  Type first = Type::string;  // what the first argument is cast to
  Type rest = Type::string;   // and the others
  Type result = Type::string;
  View (*run)(std::span<const View> arguments, FunctionCall& call);
};

// Null where there is none of this name (any case) for so many arguments.
const Function* find_function(std::string_view name, size_t arguments);
// "LEFT takes 2 arguments", or the names there are.
std::string why_no_function(std::string_view name, size_t arguments);

struct Cast {
  View value = false;
  bool good = true;
};
// CESQL 3.7. The text of a number goes to `call`.
Cast cast(View value, Type to, FunctionCall& call);

}  // namespace headrace::filter
