// Requests that are events: what waits for them starts as for any other.
#include "core/json.h"
#include "services/pipeline/service.h"

namespace headrace::pipeline {

using core::Code;
using core::Result;
using core::Task;

namespace {

// GitHub Docs, "Create a repository dispatch event".
constexpr size_t event_type_max = 100;
constexpr size_t payload_members_max = 10;
constexpr size_t payload_text_max = 65'535;

Result<> check(const std::string& event_type, const std::string& client_payload) {
  if (event_type.empty() || event_type.size() > event_type_max)
    return core::fail(Code::invalid, "event_type is a name of 1 to 100 characters.");
  if (client_payload.size() > payload_text_max)
    return core::fail(Code::invalid,
                      "client_payload is larger than 65535 bytes; keep it elsewhere, and send its name.");
  auto payload = core::parse_json(client_payload.empty() ? "{}" : client_payload);
  if (!payload || !payload->is_object()) return core::fail(Code::invalid, "client_payload is a JSON object.");
  if (payload->get_object().size() > payload_members_max)
    return core::fail(Code::invalid, "client_payload has more than 10 members; put them into one of theirs.");
  return {};
}

}  // namespace

Task<Result<>> Service::dispatch_event(core::Actor actor, std::string repository, std::string event_type,
                                       std::string client_payload) {
  if (auto good = check(event_type, client_payload); !good) co_return good;
  auto home = home_of(repository);
  if (!home) co_return std::unexpected(home.error());
  if (!*home) co_return core::fail(Code::not_found, "There is no repository " + repository + ".");
  auto origin = bus::Origin::root("pipeline", std::move(actor));
  auto header = parts.bus.header(origin);
  events::DispatchRequested said;
  said.dispatch = header.id;
  said.repository = (*home)->full_name;
  said.repository_id = (*home)->id;
  said.event_type = std::move(event_type);
  said.client_payload = std::move(client_payload);
  bus::Publish heard;
  heard.sync = bus::Sync::before_return;  // its runs can be seen by whoever asked
  auto published = co_await parts.bus.publish(events::encode(said, header), std::move(heard));
  if (!published) co_return std::unexpected(published.error());
  co_return Result<>{};
}

}  // namespace headrace::pipeline
