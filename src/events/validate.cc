// What `headrace event validate` says of a text.
#include "core/json.h"
#include "events/cdevents.h"
#include "events/raw_json.h"
#include "events/vocabulary.h"

namespace headrace::events {

namespace {

namespace json = core::json;

// cloudevents-binding.md: the CloudEvent's attributes are those of the CDEvent within.
void check_agreement(const Event& event, const json::value& data, const std::string& at, Problems& problems) {
  auto same = [&](std::string_view part, std::string_view field, std::string_view outside, std::string_view attribute) {
    const auto* object = core::find(data, part);
    auto inside = object ? core::string_at(*object, field) : std::nullopt;
    if (inside && *inside != outside && problems.size() < problems_max)
      problems.push_back({at + "/" + std::string(attribute), "The CloudEvent's " + std::string(attribute) +
                                                                 " and the CDEvent's " + std::string(part) + "." +
                                                                 std::string(field) + " must be equal."});
  };
  same("context", "id", event.id, "id");
  same("context", "source", event.source, "source");
  same("context", "type", event.type, "type");
  same("subject", "id", event.subject, "subject");
  const auto* context = core::find(data, "context");
  auto stamp = context ? core::string_at(*context, "timestamp") : std::nullopt;
  auto time = stamp ? core::parse_time(*stamp) : core::fail(core::Code::invalid, "");
  if (time && event.time != *time && problems.size() < problems_max)
    problems.push_back({at + "/time", "The CloudEvent's time and the CDEvent's context.timestamp must be equal."});
}

Problems check_cloudevent(std::string_view text, const std::string& at) {
  auto event = read_structured(text);
  Problems problems;
  if (!event) {
    for (auto& problem : event.error()) problems.push_back({at + problem.pointer, std::move(problem.message)});
    return problems;
  }
  if (!is_cdevent(event->type)) return problems;
  auto data = event->has_data ? core::parse_json(event->data) : core::fail(core::Code::invalid, "");
  if (!data || !is_json(event->datacontenttype)) {
    problems.push_back({at + "/data", "An event of a CDEvents type has the whole CDEvent as its data, in JSON."});
    return problems;
  }
  problems = check_cdevent(event->data, at + "/data");
  check_agreement(*event, *data, at, problems);
  if (problems.empty() && event->source.starts_with(reserved_source) && find_word(event->type)) {
    if (auto word = check_word(*event); !word) problems.push_back({at + "/data", word.error().message});
  }
  return problems;
}

Verdict verdict(std::string type, Problems errors) { return {errors.empty(), std::move(type), std::move(errors)}; }

Verdict validate_batch(std::string_view text) {
  auto elements = raw_elements(text);
  if (elements.size() > batch_events_max)
    return verdict(
        "batch", {{"", "The batch has more than " + std::to_string(batch_events_max) + " events; send it in parts."}});
  Problems problems;
  for (size_t i = 0; i < elements.size() && problems.size() < problems_max; ++i) {
    for (auto& problem : check_cloudevent(elements[i], "/" + std::to_string(i)))
      if (problems.size() < problems_max) problems.push_back(std::move(problem));
  }
  return verdict("batch", std::move(problems));
}

}  // namespace

Verdict validate(std::string_view text) {
  if (text.size() > batch_bytes_max) return verdict("", {{"", "This is larger than 8 MiB."}});
  auto parsed = core::parse_json(text);
  if (!parsed) return verdict("", {{"", parsed.error().message}});
  if (parsed->is_array()) return validate_batch(text);
  const auto* context = core::find(*parsed, "context");
  if (context && !core::find(*parsed, "specversion"))
    return verdict(core::string_at(*context, "type").value_or(""), check_cdevent(text));
  return verdict(core::string_at(*parsed, "type").value_or(""), check_cloudevent(text, ""));
}

std::string to_json(const Verdict& verdict) {
  json::array errors;
  for (const auto& problem : verdict.errors)
    errors.push_back(json::object{{"pointer", problem.pointer}, {"message", problem.message}});
  return core::to_text(json::object{{"valid", verdict.valid}, {"type", verdict.type}, {"errors", std::move(errors)}});
}

}  // namespace headrace::events
