// Finds what g++ 12 compiles wrongly: in a statement that holds co_await, it destroys twice a lambda whose captures
// have destructors, a braced aggregate, what `a ? b : c` chose, and an aggregate made by the default argument `= {}`.
// The program that comes out corrupts its heap without a word, so the form is refused wherever it stands, harmless or
// not: name the thing first.
//
//   co_await blocking(pool, [name] { ... });           ->  auto work = [name] { ... };
//                                                          co_await blocking(pool, std::move(work));
//   co_await send(Request{.path = path});              ->  Request request{.path = path}; co_await
//   send(std::move(request)); Task<> publish(Event event, Options options = {})  ->  Options options = Options()
//
// And in `co_return a || co_await b` it awaits b whatever a is (likewise &&; an if or an initialiser is right).
//
// Captures by reference, `this` and default captures by reference are let pass. It reads text, not C++: a statement
// ends at a semicolon or a brace outside of parentheses.
#pragma once

#include <string>
#include <vector>

namespace headrace::coroutine_rules {

struct Finding {
  int line = 0;       // from 1
  std::string words;  // what it is and the cure
};

std::vector<Finding> findings(const std::string& source);

}  // namespace headrace::coroutine_rules
