#include "bus/said.h"

#include <utility>

#include "bus/bus.h"
#include "core/bytes.h"

namespace headrace::bus {

namespace {

// Parts are told apart by their lengths, so that no two lists of parts give the same text.
std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (std::string_view part : parts) text.append(std::to_string(part.size())).append(":").append(part);
  return text;
}

std::string source_of(std::string_view service) { return std::string(events::reserved_source) + std::string(service); }

std::string_view root_of(const events::Event& cause) {
  return cause.correlation_id().empty() ? std::string_view(cause.id) : cause.correlation_id();
}

}  // namespace

Origin Origin::because_of(const events::Event& cause, std::string service, core::Actor actor) {
  return {std::move(service), std::move(actor), cause.id, std::string(root_of(cause)),
          std::string(cause.text("traceparent"))};
}

std::string derived_id(std::string_view source, const events::Event& cause, std::string_view handler,
                       std::string_view semantic_key) {
  auto bytes = core::sha256(core::as_bytes(joined({source, cause.source, cause.id, handler, semantic_key})));
  bytes[6] = (bytes[6] & std::byte{0x0f}) | std::byte{0x80};  // version 8
  bytes[8] = (bytes[8] & std::byte{0x3f}) | std::byte{0x80};  // variant 10
  std::string id = core::to_hex(std::span(bytes).first(16));
  for (size_t dash : {8U, 13U, 18U, 23U}) id.insert(dash, 1, '-');
  return id;
}

std::string derived_batch_key(std::string_view source, const events::Event& cause, std::string_view handler,
                              std::string_view step) {
  return "said/" + core::sha256_hex(joined({source, cause.source, cause.id, handler, step}));
}

Said::Said(Bus& bus, std::string service, const Delivery& cause)
    : Said(bus, std::move(service), cause.event(), cause.subscription()) {}

Said::Said(Bus& bus, std::string service, const events::Event& cause, std::string handler)
    : bus_(bus), service_(std::move(service)), handler_(std::move(handler)), actor_(core::Actor::service(service_)) {
  cause_.id = cause.id;
  cause_.source = cause.source;
  cause_.extensions = cause.extensions;  // all that is needed of it; its data may be large
}

Said& Said::as(core::Actor actor) {
  actor_ = std::move(actor);
  return *this;
}

events::Header Said::header(std::string_view semantic_key) const {
  auto header = bus_.header(Origin::because_of(cause_, service_, actor_));
  header.id = derived_id(header.source, cause_, handler_, semantic_key);
  return header;
}

std::string Said::add(events::Event event) {
  events_.push_back(std::move(event));
  return events_.back().id;
}

void Said::expect(log::Expected expected) { expected_.push_back(std::move(expected)); }

core::Task<core::Result<Published>> Said::append(std::string step, log::Durability durability) {
  if (events_.empty()) co_return Published{};
  Publish options;
  options.key = derived_batch_key(source_of(service_), cause_, handler_, step);
  options.expected = std::exchange(expected_, {});
  options.durability = durability;
  auto events = std::exchange(events_, {});
  co_return co_await bus_.publish(std::move(events), std::move(options));
}

}  // namespace headrace::bus
