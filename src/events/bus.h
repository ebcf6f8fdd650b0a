// What the bus says about its subscriptions and the deliveries it gave up.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"

namespace headrace::events {

// A delivery was refused as often as the subscription allows. It points to the original, which is not copied.
struct DeliveryDead {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-delivery.dead.0.1.0";
  std::string subscription = {};
  int64_t event_offset = 0;
  std::string event_id = {};
  std::string event_type = {};
  std::string key = {};  // ordering key; empty: none
  int64_t attempts = 0;
  std::string reason = {};  // of the last refusal
  std::optional<core::Time> first_failed_at = {};
  bool operator==(const DeliveryDead&) const = default;
};

struct DeliveryReplayed {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-delivery.replayed.0.1.0";
  std::string subscription = {};
  int64_t event_offset = 0;
  std::string event_id = {};
  std::string event_type = {};
  std::string key = {};
  std::string by = {};  // actor
  bool operator==(const DeliveryReplayed&) const = default;
};

struct DeliveryDiscarded {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-delivery.discarded.0.1.0";
  std::string subscription = {};
  int64_t event_offset = 0;
  std::string event_id = {};
  std::string event_type = {};
  std::string key = {};
  std::string by = {};
  std::string reason = {};
  bool operator==(const DeliveryDiscarded&) const = default;
};

struct SubscriptionCreated {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-subscription.created.0.1.0";
  std::string subscription = {};  // name
  std::string filter = {};        // JSON text of the CloudEvents filters; empty: everything
  std::string delivery = {};      // "handler", "pull", "webhook", "websocket", "sse"
  std::string start = {};         // "now", "beginning", "offset:<n>", "time:<RFC 3339>"
  std::string on_dead = {};       // "hold", "continue"
  bool operator==(const SubscriptionCreated&) const = default;
};

struct SubscriptionDeleted {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-subscription.deleted.0.1.0";
  std::string subscription = {};
  bool operator==(const SubscriptionDeleted&) const = default;
};

struct SubscriptionPaused {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-subscription.paused.0.1.0";
  std::string subscription = {};
  std::string reason = {};
  bool operator==(const SubscriptionPaused&) const = default;
};

struct SubscriptionResumed {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-subscription.resumed.0.1.0";
  std::string subscription = {};
  bool operator==(const SubscriptionResumed&) const = default;
};

// Moved to another place of the log by hand.
struct SubscriptionSought {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-subscription.sought.0.1.0";
  std::string subscription = {};
  int64_t from_offset = 0;
  int64_t to_offset = 0;
  bool operator==(const SubscriptionSought&) const = default;
};

struct SubscriptionStalled {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-subscription.stalled.0.1.0";
  std::string subscription = {};
  std::optional<core::Time> since = {};
  int64_t oldest_offset = 0;  // of the oldest event not acknowledged
  std::string reason = {};
  bool operator==(const SubscriptionStalled&) const = default;
};

struct SubscriptionRecovered {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-subscription.recovered.0.1.0";
  std::string subscription = {};
  int64_t stalled_seconds = 0;
  bool operator==(const SubscriptionRecovered&) const = default;
};

}  // namespace headrace::events
