// A test is a function with a name. `program NAME` runs one, and prints what it found where it fails.
#pragma once

#include <cstdio>
#include <cstring>
#include <string>

namespace check {

inline int failures = 0;

inline std::string shown(const std::string& value) { return value; }
inline std::string shown(const char* value) { return value; }
inline std::string shown(int value) { return std::to_string(value); }

inline void fail(const char* file, int line, const std::string& what) {
  std::printf("%s:%d: error: %s\n", file, line, what.c_str());
  ++failures;
}

struct Test {
  const char* name;
  void (*run)();
};

template <class Tests>
int run(const Tests& tests, int argc, char** argv) {
  for (const Test& test : tests)
    if (argc < 2 || std::strcmp(argv[1], test.name) == 0) test.run();
  return failures == 0 ? 0 : 1;
}

}  // namespace check

#define CHECK_EQUAL(got, expected)                                                                      \
  do {                                                                                                  \
    const auto got_ = check::shown(got);                                                                \
    const auto expected_ = check::shown(expected);                                                      \
    if (got_ != expected_) check::fail(SHOP_FILE, __LINE__, "expected " + expected_ + ", got " + got_); \
  } while (false)

#define CHECK_THROWS(expression)                                              \
  do {                                                                        \
    bool thrown_ = false;                                                     \
    try {                                                                     \
      static_cast<void>(expression);                                          \
    } catch (const std::exception&) {                                         \
      thrown_ = true;                                                         \
    }                                                                         \
    if (!thrown_) check::fail(SHOP_FILE, __LINE__, #expression " throws nothing"); \
  } while (false)
