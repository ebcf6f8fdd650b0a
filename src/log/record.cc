#include "log/record.h"

#include <algorithm>
#include <array>

namespace headrace::log {

namespace {

enum class Field : uint8_t { source = 1, id, type, subject, time, datacontenttype, dataschema, extension };
enum class Form : uint8_t { text = 0, uuid, prefixed, number, truth, falsehood, instant };

// Beginnings that nearly every event has, written as one byte. Only ever added to, at the end.
constexpr std::array<std::string_view, 8> prefixes = {"dev.cdevents.", "dev.cdeventsx.headrace-",
                                                      "/headrace/",    "application/json",
                                                      "user:",         "service:",
                                                      "runner:",       "00-"};
// Names of extensions, written as one byte likewise.
constexpr std::array<std::string_view, 4> known_names = {"actor", "causationid", "correlationid", "traceparent"};

constexpr size_t uuid_text = 36;
constexpr size_t uuid_bytes = 16;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

constexpr bool is_dash(size_t at) { return at == 8 || at == 13 || at == 18 || at == 23; }

// The 16 bytes of a UUID in lower case; nothing for any other text.
std::optional<std::string> pack_uuid(std::string_view text) {
  if (text.size() != uuid_text) return std::nullopt;
  std::string packed;
  int high = -1;
  for (size_t i = 0; i < uuid_text; ++i) {
    if (is_dash(i)) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    int digit = hex_digit(text[i]);
    if (digit < 0) return std::nullopt;
    if (high < 0) {
      high = digit;
    } else {
      packed.push_back(static_cast<char>(high * 16 + digit));
      high = -1;
    }
  }
  return packed;
}

std::string unpack_uuid(ByteView packed) {
  std::string text;
  for (std::byte byte : packed) {
    if (is_dash(text.size())) text.push_back('-');
    text.push_back("0123456789abcdef"[std::to_integer<unsigned>(byte) >> 4]);
    text.push_back("0123456789abcdef"[std::to_integer<unsigned>(byte) & 15]);
  }
  return text;
}

void put_tag(std::string& to, Field field, Form form) {
  to.push_back(static_cast<char>(static_cast<unsigned>(field) << 4 | static_cast<unsigned>(form)));
}

void put_name(std::string& to, std::string_view name) {
  auto known = std::ranges::find(known_names, name);
  if (known != known_names.end()) {
    append_varint(to, static_cast<uint64_t>(known - known_names.begin()) * 2 + 1);
    return;
  }
  append_varint(to, name.size() * 2);
  to += name;
}

size_t prefix_of(std::string_view text) {
  size_t best = prefixes.size();
  for (size_t i = 0; i < prefixes.size(); ++i)
    if (text.starts_with(prefixes[i]) && (best == prefixes.size() || prefixes[i].size() > prefixes[best].size()))
      best = i;
  return best;
}

void put_string(std::string& to, Field field, std::string_view text, std::string_view name = {}) {
  auto tagged = [&](Form form) {
    put_tag(to, field, form);
    if (field == Field::extension) put_name(to, name);
  };
  if (auto packed = pack_uuid(text)) {
    tagged(Form::uuid);
    to += *packed;
    return;
  }
  size_t prefix = prefix_of(text);
  tagged(prefix < prefixes.size() ? Form::prefixed : Form::text);
  if (prefix < prefixes.size()) {
    to.push_back(static_cast<char>(prefix));
    text.remove_prefix(prefixes[prefix].size());
  }
  append_varint(to, text.size());
  to += text;
}

void put_extension(std::string& to, std::string_view name, const events::Attribute& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return put_string(to, Field::extension, *text, name);
  if (const auto* truth = std::get_if<bool>(&value)) {
    put_tag(to, Field::extension, *truth ? Form::truth : Form::falsehood);
    return put_name(to, name);
  }
  put_tag(to, Field::extension, Form::number);
  put_name(to, name);
  append_number(to, std::get<int32_t>(value));
}

struct Tag {
  Field field;
  Form form;
};

Tag take_tag(Taker& from) {
  auto byte = from.number<uint8_t>();
  return {static_cast<Field>(byte >> 4), static_cast<Form>(byte & 15)};
}

std::string take_string(Taker& from, Form form) {
  if (form == Form::text) return std::string(from.text());
  if (form == Form::uuid) return unpack_uuid(from.take(uuid_bytes));
  if (form != Form::prefixed) {
    from.fail();
    return {};
  }
  auto prefix = from.number<uint8_t>();
  if (prefix >= prefixes.size()) from.fail();
  std::string_view rest = from.text();
  return from.ok() ? std::string(prefixes[prefix]) + std::string(rest) : std::string();
}

std::string take_name(Taker& from) {
  uint64_t size = from.varint();
  if (size % 2 == 0) return std::string(text_of(from.take(size / 2)));
  if (size / 2 < known_names.size()) return std::string(known_names[size / 2]);
  from.fail();
  return {};
}

void take_extension(Taker& from, Form form, events::Event& into) {
  std::string name = take_name(from);
  events::Attribute value;
  switch (form) {
    case Form::number: value = from.number<int32_t>(); break;
    case Form::truth: value = true; break;
    case Form::falsehood: value = false; break;
    default: value = take_string(from, form);
  }
  if (!into.extensions.emplace(std::move(name), std::move(value)).second) from.fail();
}

void take_field(Taker& from, events::Event& into) {
  Tag tag = take_tag(from);
  switch (tag.field) {
    case Field::source: into.source = take_string(from, tag.form); return;
    case Field::id: into.id = take_string(from, tag.form); return;
    case Field::type: into.type = take_string(from, tag.form); return;
    case Field::subject: into.subject = take_string(from, tag.form); return;
    case Field::datacontenttype: into.datacontenttype = take_string(from, tag.form); return;
    case Field::dataschema: into.dataschema = take_string(from, tag.form); return;
    case Field::extension: return take_extension(from, tag.form, into);
    case Field::time:
      if (tag.form != Form::instant) return from.fail();
      into.time = core::Time(core::Duration(from.number<int64_t>()));
      return;
  }
  from.fail();
}

// Skips one string field that must be `field`; its bytes.
ByteView skip_string(ByteView bytes, size_t& at, Field field) {
  Taker from(bytes.subspan(at));
  Tag tag = take_tag(from);
  if (tag.form == Form::prefixed) from.number<uint8_t>();
  if (tag.form == Form::uuid) {
    from.take(uuid_bytes);
  } else {
    from.text();
  }
  if (!from.ok() || tag.field != field || tag.form > Form::prefixed) return {};
  ByteView taken = bytes.subspan(at, bytes.size() - at - from.left());
  at += taken.size();
  return taken;
}

}  // namespace

EncodedSize encode_event(const events::Event& event, std::string& to) {
  size_t start = to.size();
  auto since_start = [&] { return static_cast<uint32_t>(to.size() - start); };
  EncodedSize size;
  put_string(to, Field::source, event.source);
  put_string(to, Field::id, event.id);
  size.identity = since_start();
  put_string(to, Field::type, event.type);
  if (!event.subject.empty()) put_string(to, Field::subject, event.subject);
  if (event.time) {
    put_tag(to, Field::time, Form::instant);
    append_number(to, int64_t{event.time->time_since_epoch().count()});
  }
  if (!event.datacontenttype.empty()) put_string(to, Field::datacontenttype, event.datacontenttype);
  if (!event.dataschema.empty()) put_string(to, Field::dataschema, event.dataschema);
  for (const auto& [name, value] : event.extensions) put_extension(to, name, value);
  size.attributes = since_start();
  to += event.data;
  return size;
}

core::Result<events::Event> decode_event(ByteView attributes, ByteView data, bool has_data) {
  events::Event event;
  Taker from(attributes);
  while (from.ok() && from.left() > 0) take_field(from, event);
  if (!from.ok()) return core::fail(core::Code::corrupt, "A stored event has attributes that cannot be read.");
  event.data.assign(text_of(data));
  event.has_data = has_data;
  return event;
}

std::string encode_identity(std::string_view source, std::string_view id) {
  std::string identity;
  put_string(identity, Field::source, source);
  put_string(identity, Field::id, id);
  return identity;
}

std::string encode_type(std::string_view type) {
  std::string field;
  put_string(field, Field::type, type);
  return field;
}

std::optional<Fields> fields_of(ByteView attributes) {
  size_t at = 0;
  if (skip_string(attributes, at, Field::source).empty()) return std::nullopt;
  if (skip_string(attributes, at, Field::id).empty()) return std::nullopt;
  ByteView identity = attributes.first(at);
  ByteView type = skip_string(attributes, at, Field::type);
  if (type.empty()) return std::nullopt;
  return Fields{identity, type};
}

std::optional<std::string> decode_type(ByteView type_field) {
  Taker from(type_field);
  Tag tag = take_tag(from);
  std::string type = take_string(from, tag.form);
  if (!from.at_end() || tag.field != Field::type) return std::nullopt;
  return type;
}

uint64_t id_milliseconds(ByteView identity) {
  size_t at = 0;
  if (skip_string(identity, at, Field::source).empty()) return 0;
  ByteView id = identity.subspan(at);
  if (id.size() != 1 + uuid_bytes || (std::to_integer<unsigned>(id[0]) & 15) != static_cast<unsigned>(Form::uuid))
    return 0;
  if ((std::to_integer<unsigned>(id[7]) >> 4) != 7) return 0;  // RFC 9562, section 5.7: version in octet 6
  uint64_t milliseconds = 0;
  for (size_t i = 1; i <= 6; ++i) milliseconds = milliseconds << 8 | std::to_integer<uint64_t>(id[i]);
  return milliseconds;
}

}  // namespace headrace::log
