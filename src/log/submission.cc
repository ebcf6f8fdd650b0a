#include "log/submission.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "log/record.h"

namespace headrace::log {

namespace {

std::string_view missing_attribute(const events::Event& event) {
  if (event.id.empty()) return "id";
  if (event.source.empty()) return "source";
  return event.type.empty() ? "type" : "";
}

core::Result<> check_event(const events::Event& event, size_t index) {
  std::string_view missing = missing_attribute(event);
  if (missing.empty()) return {};
  return core::fail(core::Code::invalid,
                    fmt::format("Event {} of the batch has no {}; CloudEvents requires one.", index + 1, missing));
}

core::Result<> check_batch(const Batch& batch) {
  if (batch.events.empty() || batch.events.size() > batch_events_max)
    return core::fail(core::Code::invalid, fmt::format("A batch has 1 to {} events; this one has {}.", batch_events_max,
                                                       batch.events.size()));
  if (batch.key.size() > key_bytes_max)
    return core::fail(core::Code::invalid, fmt::format("The key of the batch is longer than {} bytes.", key_bytes_max));
  if (batch.expected.size() > expected_max)
    return core::fail(core::Code::invalid, fmt::format("A batch may expect at most {} keys; this one has {}.",
                                                       expected_max, batch.expected.size()));
  for (const auto& expected : batch.expected)
    if (expected.key.empty() || expected.key.size() > expected_key_bytes_max)
      return core::fail(core::Code::invalid,
                        fmt::format("A key that a batch expects has 1 to {} bytes.", expected_key_bytes_max));
  return {};
}

// Room for the event's item: a little more than it takes, but for many extensions.
size_t bytes_about(const events::Event& event) {
  constexpr size_t tags_and_lengths = 64, an_extension = 64;
  return item_header_bytes + item_alignment + tags_and_lengths + event.id.size() + event.source.size() +
         event.type.size() + event.subject.size() + event.datacontenttype.size() + event.dataschema.size() +
         event.extensions.size() * an_extension + event.data.size();
}

core::Result<> encode_one(const events::Event& event, size_t index, const HashKey& key, Submission& into) {
  if (auto checked = check_event(event, index); !checked) return checked;
  EncodedEvent encoded;
  encoded.start = static_cast<uint32_t>(into.items.size());
  into.items.resize(into.items.size() + item_header_bytes);
  EncodedSize size = encode_event(event, into.items);
  encoded.header.length = static_cast<uint32_t>(into.items.size() - encoded.start - item_header_bytes);
  if (encoded.header.length > events::event_bytes_max)
    return core::fail(core::Code::invalid,
                      fmt::format("Event {} of the batch ({}) is larger than {} KiB; store what is large as a blob and "
                                  "refer to it.",
                                  index + 1, event.id, events::event_bytes_max / 1024));
  encoded.header.attributes = size.attributes;
  encoded.header.flags = event.has_data ? item_has_data : uint8_t{0};
  encoded.identity = size.identity;
  into.items.resize(aligned(into.items.size(), item_alignment));
  encoded.id = identity_of_event(key, into.content(encoded).first(size.identity));
  into.events.push_back(encoded);
  return {};
}

}  // namespace

ByteView Submission::content(const EncodedEvent& event) const {
  return core::as_bytes(items).subspan(event.start + item_header_bytes, event.header.length);
}

core::Result<Submission> encode_batch(Batch batch, const HashKey& key, size_t batch_bytes_max) {
  if (auto checked = check_batch(batch); !checked) return std::unexpected(checked.error());
  Submission submission;
  submission.events.reserve(batch.events.size());
  size_t bytes = 0;
  for (const auto& event : batch.events) bytes += bytes_about(event);
  submission.items.reserve(std::min(bytes, batch_bytes_max));
  for (size_t i = 0; i < batch.events.size(); ++i) {
    if (auto encoded = encode_one(batch.events[i], i, key, submission); !encoded)
      return std::unexpected(encoded.error());
    if (submission.items.size() > batch_bytes_max)
      return core::fail(core::Code::invalid,
                        fmt::format("The batch is larger than {} KiB; send it in parts.", batch_bytes_max / 1024));
  }
  submission.key = std::move(batch.key);
  submission.expected = std::move(batch.expected);
  submission.durability = batch.durability;
  return submission;
}

}  // namespace headrace::log
