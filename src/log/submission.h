// A client's batch, encoded by the thread that submits it, so that the log's thread only stamps and writes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "log/event_log.h"
#include "log/ids.h"

namespace headrace::log {

inline constexpr size_t key_bytes_max = 512;  // of a batch key
inline constexpr size_t expected_key_bytes_max = 256;
inline constexpr size_t expected_max = 8;

struct EncodedEvent {
  uint32_t start = 0;  // of its item in Submission::items
  ItemHeader header;
  uint32_t identity = 0;  // bytes of source and id at the beginning of the content
  Identity id;
};

struct Submission {
  std::string items;  // one an event, with room for their headers
  std::vector<EncodedEvent> events;
  std::string key;
  std::vector<Expected> expected;
  Durability durability = Durability::disk;
  EventLog::Done done;
  std::optional<core::Error> refused;  // known before it is written: only to be answered
  bool seal = false;                   // no batch: asks for the seal

  size_t bytes() const { return items.size() + key.size() + sizeof(Submission) + events.size() * sizeof(EncodedEvent); }
  ByteView content(const EncodedEvent& event) const;
};

// Invalid, with the reason, for a batch that no log can take; `batch_bytes_max` bounds the whole of it.
core::Result<Submission> encode_batch(Batch batch, const HashKey& key, size_t batch_bytes_max);

}  // namespace headrace::log
