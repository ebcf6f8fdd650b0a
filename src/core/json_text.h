// JSON text written piece by piece, with no tree of it in memory: for what is written often. Members stand in the order
// in which they are told; that keys are told once is the caller's.
//
//   JsonText text;
//   text.begin_object().key("name").value("build").key("steps").begin_array().value(int64_t{1}).end_array().end_object();
//   text.take();  // {"name":"build","steps":[1]}
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace headrace::core {

class JsonText {
 public:
  JsonText& begin_object() { return open('{'); }
  JsonText& end_object() { return close('}'); }
  JsonText& begin_array() { return open('['); }
  JsonText& end_array() { return close(']'); }
  JsonText& key(std::string_view name);
  JsonText& value(std::string_view text);  // must be UTF-8
  JsonText& value(const char* text) { return value(std::string_view(text)); }
  JsonText& value(bool truth) { return raw(truth ? "true" : "false"); }
  JsonText& value(int64_t number) { return raw(std::to_string(number)); }
  JsonText& null() { return raw("null"); }
  JsonText& raw(std::string_view json);  // one value, or members, that are JSON text already

  const std::string& text() const { return out_; }
  std::string take() { return std::exchange(out_, {}); }

 private:
  JsonText& open(char bracket);
  JsonText& close(char bracket) {
    out_.push_back(bracket);
    return *this;
  }
  void separate();
  void quote(std::string_view text);

  std::string out_;
};

}  // namespace headrace::core
