// JSON Schema 2020-12, as much of it as the schemas of CDEvents and of our own events use: type, enum, const, pattern,
// format, minLength, properties, required, additionalProperties, items, $ref by $id, oneOf, anyOf. For tests: an event
// is held against the standard's own schemas, not against what we made of them. An unknown keyword is an error, so that
// nothing passes for want of looking.
#pragma once

#include <boost/json/value.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace headrace::events::testing {

class JsonSchemas {
 public:
  void add(boost::json::value schema);                           // under its $id
  std::vector<std::string> add_folder(const std::string& path);  // every *.json; returns their $ids, sorted

  // What is wrong, each with its JSON Pointer; empty: the value is as the schema says.
  std::vector<std::string> check(const boost::json::value& value, const std::string& schema_id) const;
  const boost::json::value& at(const std::string& schema_id) const;

 private:
  std::map<std::string, boost::json::value> schemas_;
};

// The folder shared/conformance, by HEADRACE_CONFORMANCE or beside the repository; empty where it is not there.
std::string conformance_folder();
std::string read_text(const std::string& path);

}  // namespace headrace::events::testing
