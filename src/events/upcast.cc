#include "events/upcast.h"

#include <algorithm>
#include <array>

#include "core/json.h"
#include "events/vocabulary.h"

namespace headrace::events {

namespace {

namespace json = boost::json;

// CDEvents 0.5.0: subject.type went, and content.url became content.uri.
void from_cdevents_0_4(json::object& data) {
  auto* subject = data.if_contains("subject");
  if (!subject || !subject->is_object()) return;
  subject->get_object().erase("type");
  auto* content = subject->get_object().if_contains("content");
  if (!content || !content->is_object()) return;
  auto& fields = content->get_object();
  if (auto* url = fields.if_contains("url")) {
    json::value moved = *url;
    fields.erase("url");
    fields["uri"] = std::move(moved);
  }
}

constexpr Upcaster standard(std::string_view from, std::string_view to) { return {from, 0, to, 0, from_cdevents_0_4}; }

constexpr std::array upcasters{
    standard("dev.cdevents.repository.created.0.1.1", "dev.cdevents.repository.created.0.3.0"),
    standard("dev.cdevents.repository.created.0.2.0", "dev.cdevents.repository.created.0.3.0"),
    standard("dev.cdevents.repository.deleted.0.1.1", "dev.cdevents.repository.deleted.0.3.0"),
    standard("dev.cdevents.repository.deleted.0.2.0", "dev.cdevents.repository.deleted.0.3.0"),
    standard("dev.cdevents.branch.created.0.1.2", "dev.cdevents.branch.created.0.3.0"),
    standard("dev.cdevents.branch.created.0.2.0", "dev.cdevents.branch.created.0.3.0"),
    standard("dev.cdevents.branch.deleted.0.1.2", "dev.cdevents.branch.deleted.0.3.0"),
    standard("dev.cdevents.branch.deleted.0.2.0", "dev.cdevents.branch.deleted.0.3.0"),
    standard("dev.cdevents.pipelinerun.queued.0.1.1", "dev.cdevents.pipelinerun.queued.0.3.0"),
    standard("dev.cdevents.pipelinerun.queued.0.2.0", "dev.cdevents.pipelinerun.queued.0.3.0"),
    standard("dev.cdevents.pipelinerun.started.0.1.1", "dev.cdevents.pipelinerun.started.0.3.0"),
    standard("dev.cdevents.pipelinerun.started.0.2.0", "dev.cdevents.pipelinerun.started.0.3.0"),
    standard("dev.cdevents.pipelinerun.finished.0.1.1", "dev.cdevents.pipelinerun.finished.0.3.0"),
    standard("dev.cdevents.pipelinerun.finished.0.2.0", "dev.cdevents.pipelinerun.finished.0.3.0"),
    standard("dev.cdevents.taskrun.started.0.1.1", "dev.cdevents.taskrun.started.0.3.0"),
    standard("dev.cdevents.taskrun.started.0.2.0", "dev.cdevents.taskrun.started.0.3.0"),
    standard("dev.cdevents.taskrun.finished.0.1.1", "dev.cdevents.taskrun.finished.0.3.0"),
    standard("dev.cdevents.taskrun.finished.0.2.0", "dev.cdevents.taskrun.finished.0.3.0"),
};

int custom_version(const json::object& data) {
  const auto* custom = data.if_contains("customData");
  auto version = custom ? core::integer_at(*custom, "version") : std::nullopt;
  return version && *version > 0 && *version < 1000 ? static_cast<int>(*version) : 0;
}

}  // namespace

std::span<const Upcaster> all_upcasters() { return upcasters; }

void upcast(json::object& data, std::string_view type, bool ours) {
  int version = ours ? custom_version(data) : 0;
  for (size_t steps = 0; steps < upcasters.size(); ++steps) {
    const auto* step =
        std::ranges::find_if(upcasters, [&](const Upcaster& u) { return u.type == type && u.version == version; });
    if (step == upcasters.end()) return;
    step->change(data);
    type = step->to_type;
    version = step->to_version;
  }
}

std::string_view todays_type(std::string_view type) {
  for (size_t steps = 0; steps < upcasters.size(); ++steps) {
    const auto* step =
        std::ranges::find_if(upcasters, [&](const Upcaster& u) { return u.type == type && u.to_type != type; });
    if (step == upcasters.end()) break;
    type = step->to_type;
  }
  return type;
}

std::vector<std::string> all_types(std::string_view todays) {
  std::vector<std::string> types{std::string(todays)};
  for (const auto& step : upcasters) {
    if (step.type != todays && todays_type(step.type) == todays && std::ranges::find(types, step.type) == types.end())
      types.emplace_back(step.type);
  }
  return types;
}

}  // namespace headrace::events
