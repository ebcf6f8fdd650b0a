// A door to expat: elements, attributes and text of foreign XML, in order and without its dangers. A document type is
// refused where it begins (no entities, nothing outside to load), so are elements deeper than depth_max and tags longer
// than token_bytes_max. UTF-8 whatever the file is written in: UTF-8, UTF-16, ISO-8859-1, US-ASCII, windows-1252 or
// ISO-8859-15.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "report/report.h"

namespace headrace::report {

// The attributes of one start tag; views into the parser, until the call returns.
class Attributes {
 public:
  explicit Attributes(const char** pairs) : pairs_(pairs) {}
  std::string_view get(std::string_view name) const;  // empty: absent or empty
  // The first of two names that is there.
  std::string_view get(std::string_view name, std::string_view other) const;

 private:
  const char** pairs_;
};

class XmlListener {
 public:
  virtual ~XmlListener() = default;
  // Not empty: why the file is refused at this element. Names come without a prefix.
  virtual std::string begin(std::string_view element, const Attributes& attributes) = 0;
  virtual void end(std::string_view element) = 0;
  virtual void text(std::string_view piece) = 0;
};

class Xml {
 public:
  explicit Xml(XmlListener& listener);  // outlives this
  ~Xml();
  Xml(const Xml&) = delete;
  Xml& operator=(const Xml&) = delete;

  std::expected<void, Problem> feed(std::string_view piece);  // any length
  std::expected<void, Problem> finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace headrace::report
