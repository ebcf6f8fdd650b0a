// From a struct of the vocabulary to an event, back, and to a schema. Each struct is described once, by a function
//
//   template <class Visit> void fields(Visit& visit, Is<RunQueued> auto& run) {
//     visit.subject("run", run.run, "UUID of the run.");
//     visit.standard("pipelineName", run.workflow, Presence::always, "...");   // a field of CDEvents, in content
//     visit.own("number", run.number, Presence::always, "...");                // ours
//   }
//
// and visited by the Encoder, the Decoder and the SchemaWriter. `own` fields are in content for our own types, in
// customData for standard ones. For the .cc files of this room only.
#pragma once

#include <boost/json/object.hpp>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "events/pipeline.h"
#include "events/repository.h"
#include "events/vocabulary.h"

namespace headrace::events::codec {

namespace json = boost::json;

template <class Self, class T>
concept Is = std::same_as<std::remove_const_t<Self>, T>;

// Whether a field stands in every event of today's version. `where_known`: empty text, an empty list and nothing are
// left out, and read as such where absent.
enum class Presence { always, where_known };

inline constexpr int own_version = 1;  // of customData, for every standard type so far

// --- Values and JSON. From JSON: false, and what was wanted, when it is something else.
json::value to_json(const std::string& value);
json::value to_json(int64_t value);
json::value to_json(bool value);
json::value to_json(core::Time value);
json::value to_json(Conclusion value);
json::value to_json(SettledBy value);
bool from_json(const json::value& json, std::string& value);
bool from_json(const json::value& json, int64_t& value);
bool from_json(const json::value& json, bool& value);
bool from_json(const json::value& json, core::Time& value);
bool from_json(const json::value& json, Conclusion& value);
bool from_json(const json::value& json, SettledBy& value);

// The JSON Schema of a value; also says in words what is wanted.
json::object schema_for(const std::string&);
json::object schema_for(int64_t);
json::object schema_for(bool);
json::object schema_for(core::Time);
json::object schema_for(Conclusion);
json::object schema_for(SettledBy);
json::object enumeration(std::vector<std::string_view> names);  // a string that is one of them
std::string wanted_for(const json::object& schema);

template <class T>
inline constexpr bool is_list = false;
template <class T>
inline constexpr bool is_list<std::vector<T>> = true;
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
// A struct within a struct: described by fields(), but not a type of event.
template <class T>
concept Part = std::is_class_v<T> && !is_list<T> && !is_optional<T> && !std::same_as<T, std::string> &&
               !std::same_as<T, core::Time>;

template <class T>
bool is_unset(const T& value) {
  if constexpr (is_optional<T>)
    return !value.has_value();
  else if constexpr (is_list<T> || std::same_as<T, std::string>)
    return value.empty();
  else
    return false;
}

// --- Writes one object: a part, or (by Encoder) the content and customData of an event.
class ObjectWriter {
 public:
  explicit ObjectWriter(json::object& into) : into_(into) {}

  template <class T>
  void own(std::string_view name, const T& value, Presence presence, std::string_view) {
    if (presence == Presence::where_known && is_unset(value)) return;
    into_[name] = value_of(value);
  }

 private:
  template <class T>
  static json::value value_of(const T& value) {
    if constexpr (is_optional<T>) {
      return value_of(*value);
    } else if constexpr (is_list<T>) {
      json::array list;
      for (const auto& element : value) list.push_back(value_of(element));
      return list;
    } else if constexpr (Part<T>) {
      json::object part;
      ObjectWriter writer(part);
      fields(writer, value);
      return part;
    } else {
      return to_json(value);
    }
  }
  json::object& into_;
};

// --- Reads one object; the first thing that is wrong is kept with its pointer.
struct Fault {
  std::string pointer;
  std::string message;
};

class ObjectReader {
 public:
  ObjectReader(const json::object& from, std::string pointer, std::optional<Fault>& fault)  // all outlive this
      : from_(from), pointer_(std::move(pointer)), fault_(fault) {}

  template <class T>
  void own(std::string_view name, T& value, Presence presence, std::string_view) {
    if (fault_) return;
    const auto* json = from_.if_contains(name);
    if (!json || json->is_null()) {
      if (presence == Presence::always) fault_ = Fault{pointer_ + "/" + std::string(name), "is missing"};
      return;
    }
    take(*json, value, pointer_ + "/" + std::string(name));
  }

 private:
  template <class T>
  void take(const json::value& json, T& value, std::string pointer) {
    if constexpr (is_optional<T>) {
      take(json, value.emplace(), std::move(pointer));
    } else if constexpr (is_list<T>) {
      if (!json.is_array()) return blame(std::move(pointer), "must be an array");
      for (size_t i = 0; i < json.get_array().size() && !fault_; ++i)
        take(json.get_array()[i], value.emplace_back(), pointer + "/" + std::to_string(i));
    } else if constexpr (Part<T>) {
      if (!json.is_object()) return blame(std::move(pointer), "must be an object");
      ObjectReader reader(json.get_object(), std::move(pointer), fault_);
      fields(reader, value);
    } else if (!from_json(json, value)) {
      blame(std::move(pointer), "must be " + wanted_for(schema_for(value)));
    }
  }
  void blame(std::string pointer, std::string message) { fault_ = Fault{std::move(pointer), std::move(message)}; }

  const json::object& from_;
  std::string pointer_;
  std::optional<Fault>& fault_;
};

// --- Writes the schema of one object.
class ObjectSchema {
 public:
  template <class T>
  void own(std::string_view name, const T& value, Presence presence, std::string_view description) {
    add(name, schema_of_value(value), presence, description);
  }
  void add(std::string_view name, json::object schema, Presence presence, std::string_view description);
  json::object finish() &&;

 private:
  template <class T>
  static json::object schema_of_value(const T& value) {
    if constexpr (is_optional<T>) {
      const typename T::value_type blank{};
      return schema_of_value(blank);
    } else if constexpr (is_list<T>) {
      const typename T::value_type blank{};
      return {{"type", "array"}, {"items", schema_of_value(blank)}};
    } else if constexpr (Part<T>) {
      ObjectSchema part;
      fields(part, value);
      return std::move(part).finish();
    } else {
      return schema_for(value);
    }
  }
  json::object properties_;
  json::array required_;
};

bool is_standard_type(std::string_view type);  // of CDEvents, not one of ours

// --- A whole event, written.
class Encoder {
 public:
  Encoder(std::string_view type, const Header& header);  // header outlives this

  void subject(std::string_view, const std::string& id, std::string_view) { subject_ = id; }
  void standard(std::string_view name, const std::string& text, Presence presence, std::string_view);
  void reference(std::string_view name, const std::string& id, std::string_view);  // {"id": ...}
  // A URI that CDEvents asks for even where we know no page: then "urn:headrace:<subject>" stands there.
  void uri(const std::string& url, Presence presence, std::string_view);
  void outcome(const Conclusion& conclusion, std::string_view);
  void ordered_by(const std::string& key) { key_ = key; }
  template <class T>
  void own(std::string_view name, const T& value, Presence presence, std::string_view description) {
    ObjectWriter(own_).own(name, value, presence, description);
  }
  Event finish() &&;

 private:
  json::object context() const;

  std::string_view type_;
  const Header& header_;
  std::string subject_;
  std::string key_;
  json::object content_;
  json::object custom_;
  json::object& own_;
};

// --- A whole event, read: parsed and upcast by open(), then visited.
class Decoder {
 public:
  static core::Result<Decoder> open(const Event& event, std::string_view todays_type);

  void subject(std::string_view name, std::string& id, std::string_view);
  void standard(std::string_view name, std::string& text, Presence presence, std::string_view);
  void reference(std::string_view name, std::string& id, std::string_view);
  void uri(std::string& url, Presence presence, std::string_view);
  void outcome(Conclusion& conclusion, std::string_view);
  void ordered_by(const std::string&) {}
  template <class T>
  void own(std::string_view name, T& value, Presence presence, std::string_view description) {
    if (own_at_.empty()) return;  // of another tool: it has only what the standard has
    ObjectReader(own_, std::string(own_at_), fault_).own(name, value, presence, description);
  }
  std::optional<core::Error> fault() const;  // the first thing that is wrong

 private:
  explicit Decoder(std::string_view type) : type_(type) {}
  core::Result<> take(json::object data, bool ours);
  void text(std::string_view name, std::string& into, bool required);

  std::string_view type_;  // today's
  std::string subject_;
  json::object content_;     // of a standard type
  json::object own_;         // where our fields are: at own_at_
  std::string_view own_at_;  // empty: nowhere
  std::optional<Fault> fault_;
};

// --- The schema of a whole event's data.
class SchemaWriter {
 public:
  explicit SchemaWriter(const Word& word) : word_(word) {}
  void subject(std::string_view name, const std::string&, std::string_view description);
  void standard(std::string_view name, const std::string&, Presence presence, std::string_view description);
  void reference(std::string_view name, const std::string&, std::string_view description);
  void uri(const std::string&, Presence presence, std::string_view description);
  void outcome(const Conclusion& conclusion, std::string_view description);
  void ordered_by(const std::string&) {}
  template <class T>
  void own(std::string_view name, const T& value, Presence presence, std::string_view description) {
    own_.own(name, value, presence, description);
  }
  json::object finish() &&;

 private:
  const Word& word_;
  std::string subject_description_;
  ObjectSchema standard_;
  ObjectSchema own_;
};

// A word of the registry with what can be done with it; each subject's .cc has its list.
struct Entry {
  Word word;
  json::object (*schema)(const Word& word);
  std::optional<core::Error> (*fault)(const Event& event);  // why it does not decode
};

template <class T>
Entry entry(std::string_view name, std::string_view service, std::string_view description) {
  return {{T::type, name, service, description, is_standard_type(T::type) ? own_version : 0},
          [](const Word& word) {
            SchemaWriter writer(word);
            const T blank{};
            fields(writer, blank);
            return std::move(writer).finish();
          },
          [](const Event& event) -> std::optional<core::Error> {
            auto said = decode<T>(event);
            if (said) return std::nullopt;
            return said.error();
          }};
}

std::vector<Entry> repository_words();
std::vector<Entry> pipeline_words();
std::vector<Entry> trigger_words();
std::vector<Entry> runner_words();
std::vector<Entry> test_words();
std::vector<Entry> identity_words();
std::vector<Entry> artifact_words();
std::vector<Entry> settings_words();
std::vector<Entry> bus_words();
const std::vector<Entry>& all_entries();
const Entry* find_entry(std::string_view type);

}  // namespace headrace::events::codec

namespace headrace::events {

template <class T>
Event encode(const T& said, const Header& header) {
  codec::Encoder encoder(T::type, header);
  fields(encoder, said);
  return std::move(encoder).finish();
}

template <class T>
core::Result<T> decode(const Event& event) {
  auto decoder = codec::Decoder::open(event, T::type);
  if (!decoder) return std::unexpected(decoder.error());
  T said;
  fields(*decoder, said);
  if (auto fault = decoder->fault()) return std::unexpected(*fault);
  return said;
}

}  // namespace headrace::events

// What a subject's .cc gives away of a struct.
#define HEADRACE_EVENTS_WORD(T)                      \
  template Event encode<T>(const T&, const Header&); \
  template core::Result<T> decode<T>(const Event&);
