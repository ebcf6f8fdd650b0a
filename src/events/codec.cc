#include "events/codec.h"

#include "core/json.h"
#include "events/formats.h"
#include "events/upcast.h"

namespace headrace::events::codec {

namespace {

constexpr std::string_view no_page = "urn:headrace:";

// What another tool's outcome is in our words. CDEvents: "error" is a failure to run at all.
std::optional<Conclusion> conclusion_of(std::string_view outcome) {
  if (outcome == "success") return Conclusion::success;
  if (outcome == "failure") return Conclusion::failure;
  if (outcome == "cancel") return Conclusion::cancelled;
  if (outcome == "error") return Conclusion::startup_failure;
  return std::nullopt;
}

}  // namespace

bool is_standard_type(std::string_view type) { return type.starts_with("dev.cdevents."); }

// --- Encoder

Encoder::Encoder(std::string_view type, const Header& header)
    : type_(type), header_(header), own_(is_standard_type(type) ? custom_ : content_) {
  if (is_standard_type(type)) custom_["version"] = own_version;
}

void Encoder::standard(std::string_view name, const std::string& text, Presence presence, std::string_view) {
  if (!text.empty() || presence == Presence::always) content_[name] = text;
}

void Encoder::reference(std::string_view name, const std::string& id, std::string_view) {
  if (!id.empty()) content_[name] = json::object{{"id", id}};
}

void Encoder::uri(const std::string& url, Presence presence, std::string_view) {
  core::require(url.empty() || is_uri(url), "the url of an event is absolute, with its scheme");
  if (!url.empty()) {
    content_["uri"] = url;
  } else if (presence == Presence::always) {
    content_["uri"] = std::string(no_page) + subject_;
  }
}

void Encoder::outcome(const Conclusion& conclusion, std::string_view) { content_["outcome"] = outcome_of(conclusion); }

json::object Encoder::context() const {
  json::object context{{"specversion", "0.5.1"},
                       {"id", header_.id},
                       {"source", header_.source},
                       {"type", type_},
                       {"timestamp", core::format_time(header_.time)},
                       {"chainId", header_.correlation_id.empty() ? header_.id : header_.correlation_id}};
  json::array links;
  auto add = [&](const std::string& cause) {
    if (!cause.empty())
      links.push_back(
          json::object{{"linkType", "RELATION"}, {"linkKind", "TRIGGER"}, {"target", {{"contextId", cause}}}});
  };
  add(header_.causation_id);
  for (const auto& cause : header_.further_causes) add(cause);
  if (!links.empty()) context["links"] = std::move(links);
  return context;
}

Event Encoder::finish() && {
  core::require(!subject_.empty(), "an event has a subject");
  core::require(!header_.id.empty() && !header_.source.empty(), "an event has an id and a source");
  Event event{.id = header_.id,
              .source = header_.source,
              .type = std::string(type_),
              .subject = subject_,
              .time = header_.time,
              .datacontenttype = "application/json",
              .dataschema = {},
              .extensions = {},
              .data = {},
              .has_data = true};
  auto extend = [&](const char* name, const std::string& text) {
    if (!text.empty()) event.extensions.emplace(name, text);
  };
  extend("actor", header_.actor);
  extend("causationid", header_.causation_id);
  extend("correlationid", header_.correlation_id.empty() ? header_.id : header_.correlation_id);
  extend("traceparent", header_.traceparent);
  extend("partitionkey", key_);
  json::object data{{"context", context()}, {"subject", {{"id", subject_}, {"content", std::move(content_)}}}};
  if (is_standard_type(type_)) {
    data["customData"] = std::move(custom_);
  }
  event.data = core::to_text(data);
  return event;
}

// --- Decoder

core::Result<Decoder> Decoder::open(const Event& event, std::string_view todays) {
  if (todays_type(event.type) != todays)
    return core::fail(core::Code::not_found,
                      "The event is of type " + event.type + ", not of " + std::string(todays) + ".");
  if (!event.has_data || !is_json(event.datacontenttype))
    return core::fail(core::Code::invalid,
                      "An event of type " + event.type + " has a CDEvent in JSON as its data; this one has not.");
  auto parsed = core::parse_json(event.data);
  if (!parsed) return core::pass_on(parsed.error(), "decoding " + event.type);
  if (!parsed->is_object())
    return core::fail(core::Code::invalid, "The data of an event of type " + event.type + " is a JSON object.");
  bool ours = event.source.starts_with(reserved_source);
  upcast(parsed->get_object(), event.type, ours);
  Decoder decoder(todays);
  if (auto taken = decoder.take(std::move(parsed->get_object()), ours); !taken) return std::unexpected(taken.error());
  return decoder;
}

core::Result<> Decoder::take(json::object data, bool ours) {
  auto object_in = [](json::object& from, std::string_view name) {
    auto* found = from.if_contains(name);
    return found ? found->if_object() : nullptr;
  };
  auto wrong = [&](std::string_view what) {
    return core::fail(core::Code::invalid,
                      "The data of " + std::string(type_) + " is not good: " + std::string(what) + ".");
  };
  auto* subject = object_in(data, "subject");
  if (!subject) return wrong("/subject must be an object");
  const auto* id = subject->if_contains("id");
  if (!id || !id->is_string() || id->get_string().empty()) return wrong("/subject/id must be a string, and not empty");
  subject_ = id->get_string();
  auto* content = object_in(*subject, "content");
  if (!content) return wrong("/subject/content must be an object");
  bool standard = is_standard_type(type_);
  if (!standard) own_at_ = "/subject/content";
  if (standard && ours) own_at_ = "/customData";
  (standard ? content_ : own_) = std::move(*content);
  if (standard && ours) {
    auto* custom = object_in(data, "customData");
    if (!custom) return wrong("/customData must be an object");
    own_ = std::move(*custom);
  }
  return {};
}

void Decoder::text(std::string_view name, std::string& into, bool required) {
  if (fault_) return;
  const auto* found = content_.if_contains(name);
  if (found && found->is_string())
    into = found->get_string();
  else if (found)
    fault_ = Fault{"/subject/content/" + std::string(name), "must be a string"};
  else if (required)
    fault_ = Fault{"/subject/content/" + std::string(name), "is missing"};
}

void Decoder::subject(std::string_view, std::string& id, std::string_view) { id = subject_; }

// What CDEvents leaves free another tool may leave out, though we never do.
void Decoder::standard(std::string_view name, std::string& text_, Presence presence, std::string_view) {
  text(name, text_, presence == Presence::always && !own_at_.empty());
}

void Decoder::reference(std::string_view name, std::string& id, std::string_view) {
  const auto* found = content_.if_contains(name);
  if (!found || fault_) return;
  auto text = core::string_at(*found, "id");
  if (text)
    id = *text;
  else
    fault_ = Fault{"/subject/content/" + std::string(name), "must be an object with an id"};
}

void Decoder::uri(std::string& url, Presence, std::string_view) {
  text("uri", url, false);
  if (url.starts_with(no_page)) url.clear();
}

void Decoder::outcome(Conclusion& conclusion, std::string_view) {
  std::string outcome;
  text("outcome", outcome, false);
  if (outcome.empty() || fault_) return;
  if (auto known = conclusion_of(outcome))
    conclusion = *known;
  else
    fault_ = Fault{"/subject/content/outcome", "must be one of success, failure, cancel, error"};
}

std::optional<core::Error> Decoder::fault() const {
  if (!fault_) return std::nullopt;
  return core::Error{
      core::Code::invalid,
      "The data of " + std::string(type_) + " is not good: " + fault_->pointer + " " + fault_->message + ".",
      {}};
}

}  // namespace headrace::events::codec
