// What a Delivery holds while it is at work; the room's own.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <memory>
#include <string>

#include "bus/subscription.h"

namespace headrace::bus {

struct Delivery::State {
  Shared stored;
  std::string key;
  std::shared_ptr<const std::string> subscription;
  uint32_t attempt = 1;
  uint64_t generation = 0;  // of the consumer: a delivery from before a seek counts for nothing
  const core::Clock* clock = nullptr;
  Duration ack_wait{};
  core::Steady handed;
  core::Time handed_at;
  core::Steady deadline;
  bool expired = false;  // its ack wait has passed and it was cancelled
  boost::asio::cancellation_signal cancel;
};

}  // namespace headrace::bus
