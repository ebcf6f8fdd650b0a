#include "events/cdevents.h"

#include <algorithm>

#include "core/json.h"
#include "events/cdevents_table.h"
#include "events/formats.h"

namespace headrace::events {

namespace {

namespace json = core::json;
using cdevents::Field;
using cdevents::Shape;
using cdevents::Type;

constexpr bool required = true;
constexpr Shape any_text{};
constexpr Shape filled{.filled = true};
constexpr Shape uri{.filled = true, .good = is_uri, .form = "uri"};
constexpr Shape uri_reference{.filled = true, .good = is_uri_reference, .form = "uri-reference"};
constexpr Shape date_time{.good = is_date_time, .form = "date-time"};
constexpr Shape open_object{.kind = Shape::Kind::object, .open = true};

// links.md, "Embedded Links", with what each must hold.
constexpr Field from_event_fields[] = {{"contextId", &filled, required}};
constexpr Shape from_event{.kind = Shape::Kind::object, .fields = from_event_fields, .open = true};
constexpr Field target_fields[] = {{"contextId", &filled}};
constexpr Shape target{.kind = Shape::Kind::object, .fields = target_fields, .open = true};
constexpr Field end_link[] = {{"linkType", &filled, required}, {"from", &from_event}, {"tags", &open_object}};
constexpr Field path_link[] = {
    {"linkType", &filled, required}, {"from", &from_event, required}, {"tags", &open_object}};
constexpr Field relation_link[] = {{"linkType", &filled, required},
                                   {"linkKind", &filled, required},
                                   {"target", &target, required},
                                   {"tags", &open_object}};

class Checker {
 public:
  explicit Checker(Problems& problems) : problems_(problems) {}

  void event(const json::value& value, const std::string& at) {
    const auto* whole = object(value, at);
    if (!whole) return;
    only(*whole, {"context", "subject", "customData", "customDataContentType"}, at);
    const auto* context = part(*whole, "context", at);
    const auto* subject = part(*whole, "subject", at);
    const Type* type = context ? type_of(*context, at + "/context") : nullptr;
    auto quirk = type ? type->quirk : Type::Quirk::none;
    if (context) check_context(*context, at + "/context", quirk);
    if (subject) check_subject(*subject, at + "/subject", type, quirk);
    custom_data(*whole, at);
  }

 private:
  void add(std::string pointer, std::string message) {
    if (problems_.size() < problems_max) problems_.push_back({std::move(pointer), std::move(message)});
  }

  static std::string below(const std::string& at, std::string_view name) {
    std::string pointer = at + "/";
    for (char c : name) pointer += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    return pointer;
  }

  const json::object* object(const json::value& value, const std::string& at) {
    if (!value.is_object()) add(at, "This must be an object.");
    return value.if_object();
  }

  const json::object* part(const json::object& whole, std::string_view name, const std::string& at) {
    const auto* value = whole.if_contains(name);
    if (value) return object(*value, below(at, name));
    add(below(at, name), "'" + std::string(name) + "' is missing; every CDEvent has it.");
    return nullptr;
  }

  void only(const json::object& object, std::initializer_list<std::string_view> names, const std::string& at) {
    for (const auto& member : object) {
      if (std::ranges::find(names, std::string_view(member.key())) == names.end()) unknown(member.key(), at);
    }
  }

  void unknown(std::string_view name, const std::string& at) {
    add(below(at, name),
        "The standard has no field '" + std::string(name) + "' here; put what is your own into customData.");
  }

  void value(const json::value& value, const Shape& shape, const std::string& at) {
    if (shape.kind == Shape::Kind::object) {
      if (const auto* fields = object(value, at)) check_fields(*fields, shape.fields, shape.open, at);
    } else if (shape.kind == Shape::Kind::texts) {
      texts(value, at);
    } else {
      text(value, shape, at);
    }
  }

  void text(const json::value& value, const Shape& shape, const std::string& at) {
    if (!value.is_string()) return add(at, "This must be a string.");
    std::string_view text = value.get_string();
    if (shape.filled && text.empty()) return add(at, "This must not be empty.");
    if (shape.good && !shape.good(text))
      return add(at, "This is not a " + std::string(shape.form) + wanted(shape.form) + ".");
    if (shape.one_of.empty() || std::ranges::find(shape.one_of, text) != shape.one_of.end()) return;
    std::string names;
    for (auto one : shape.one_of) names.append(names.empty() ? "" : ", ").append(one);
    add(at, "This must be one of " + names + ".");
  }

  static std::string wanted(std::string_view form) {
    if (form == "uri") return " (RFC 3986: with a scheme, as https://example.com/a)";
    if (form == "uri-reference") return " (RFC 3986, as /a/b or https://example.com/a)";
    return " (RFC 3339, as 2026-11-23T07:16:00Z)";
  }

  void texts(const json::value& value, const std::string& at) {
    if (!value.is_array()) return add(at, "This must be an array of strings.");
    const auto& array = value.get_array();
    for (size_t i = 0; i < array.size(); ++i) text(array[i], any_text, at + "/" + std::to_string(i));
  }

  void check_fields(const json::object& object, std::span<const Field> fields, bool open, const std::string& at) {
    for (const auto& field : fields) {
      const auto* found = object.if_contains(field.name);
      if (found)
        value(*found, *field.shape, below(at, field.name));
      else if (field.required)
        add(below(at, field.name), "'" + std::string(field.name) + "' is missing.");
    }
    for (const auto& member : object) {
      bool known =
          std::ranges::any_of(fields, [&](const Field& field) { return field.name == std::string_view(member.key()); });
      if (!known && !open) unknown(member.key(), at);
    }
  }

  // Null for a custom type, and for one that is wrong, which is said.
  const Type* type_of(const json::object& context, const std::string& at) {
    const auto* value = context.if_contains("type");
    if (!value || !value->is_string()) return nullptr;  // said by check_context
    std::string type(value->get_string());
    const auto* known = cdevents::find_type(type);
    if (!known && !is_custom_type(type)) add(at + "/type", why_unknown(type));
    return known;
  }

  static std::string why_unknown(const std::string& type) {
    if (type.starts_with("dev.cdeventsx."))
      return "A custom type is dev.cdeventsx.<tool>-<subject>.<predicate>.<n>.<n>.<n>, with letters only in subject "
             "and predicate.";
    auto base = type.substr(0, std::min(type.size(), type.rfind('.', type.rfind('.', type.rfind('.') - 1) - 1)));
    for (const auto& known : cdevents::all_types()) {
      std::string whole = "dev.cdevents." + std::string(known.name);
      if (whole.starts_with(base + ".") && base.size() + 6 == whole.size())
        return "CDEvents 0.5.1 has this type as " + whole + ".";
    }
    return "This is none of the event types of CDEvents 0.5.1, and no custom one (dev.cdeventsx.<tool>-...).";
  }

  void check_context(const json::object& context, const std::string& at, Type::Quirk quirk) {
    const auto& source = quirk == Type::Quirk::any_source ? filled : uri_reference;
    const Field fields[] = {{"specversion", &filled, required},
                            {"id", &filled, required},
                            {"source", &source, required},
                            {"type", &any_text, required},
                            {"timestamp", &date_time, required},
                            {"schemaUri", &uri},
                            {"chainId", &filled}};
    json::object without_links = context;
    without_links.erase("links");
    check_fields(without_links, fields, false, at);
    if (const auto* links = context.if_contains("links")) check_links(*links, at + "/links");
  }

  void check_links(const json::value& links, const std::string& at) {
    if (!links.is_array()) return add(at, "This must be an array of links.");
    for (size_t i = 0; i < links.get_array().size(); ++i)
      check_link(links.get_array()[i], at + "/" + std::to_string(i));
  }

  void check_link(const json::value& link, const std::string& at) {
    const auto* fields = object(link, at);
    if (!fields) return;
    auto kind = core::string_at(link, "linkType").value_or("");
    if (kind == "END")
      check_fields(*fields, end_link, false, at);
    else if (kind == "PATH")
      check_fields(*fields, path_link, false, at);
    else if (kind == "RELATION")
      check_fields(*fields, relation_link, false, at);
    else
      add(at + "/linkType", "The linkType must be one of END, PATH, RELATION.");
  }

  void check_subject(const json::object& subject, const std::string& at, const Type* type, Type::Quirk quirk) {
    static constexpr std::string_view ticket[] = {"ticket"};
    static constexpr Shape ticket_type{.filled = true, .one_of = ticket};
    const Shape content{
        .kind = Shape::Kind::object, .fields = type ? type->content : std::span<const Field>(), .open = !type};
    const auto& source = quirk == Type::Quirk::any_source ? any_text : uri_reference;
    const Field fields[] = {
        {"id", &filled, required}, {"source", &source}, {"content", &content, required}, {"type", &ticket_type}};
    bool has_type = quirk == Type::Quirk::subject_type;
    check_fields(subject, std::span(fields).first(has_type ? 4 : 3), false, at);
  }

  void custom_data(const json::object& whole, const std::string& at) {
    const auto* data = whole.if_contains("customData");
    if (data && !data->is_object() && !data->is_string())
      add(at + "/customData", "customData must be an object, or other content as a string in Base64.");
    if (const auto* type = whole.if_contains("customDataContentType"))
      value(*type, any_text, at + "/customDataContentType");
  }

  Problems& problems_;
};

}  // namespace

Problems check_cdevent(std::string_view text, std::string_view at) {
  if (text.size() > event_bytes_max)
    return {{std::string(at), "The event is larger than 256 KiB; store what is large as a blob and point to it."}};
  auto parsed = core::parse_json(text);
  if (!parsed) return {{std::string(at), parsed.error().message}};
  Problems problems;
  Checker(problems).event(*parsed, std::string(at));
  return problems;
}

bool is_cdevent(std::string_view type) {
  return type.starts_with("dev.cdevents.") || type.starts_with("dev.cdeventsx.");
}

std::vector<std::string_view> cdevent_types() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& type : cdevents::all_types()) all.push_back("dev.cdevents." + std::string(type.name));
    return all;
  }();
  return {names.begin(), names.end()};
}

}  // namespace headrace::events
