// What happened, in the shape of GitHub's webhooks: github.event of a run ("Webhook events and payloads"). JSON text of
// at most payload_bytes_max.
#pragma once

#include <string>

#include "events/pipeline.h"
#include "events/repository.h"

namespace headrace::pipeline {

inline constexpr size_t payload_bytes_max = 128 * 1024;

// One ref of a push. `title` is the first line of the head commit's message.
std::string push_payload(const events::PushReceived& push, const events::SettledUpdate& update,
                         const std::string& account, const std::string& title, const std::string& server_url);
std::string dispatch_payload(const events::RunQueued& run);

}  // namespace headrace::pipeline
