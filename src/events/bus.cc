#include "events/bus.h"

#include "events/codec.h"

namespace headrace::events {

using codec::Is;
using enum codec::Presence;

// What the three words about one delivery share.
template <class Visit>
void delivery_fields(Visit& visit, auto& it) {
  visit.subject("subscription", it.subscription, "Name of the subscription.");
  visit.own("event_offset", it.event_offset, always, "Offset of the event in the log.");
  visit.own("event_id", it.event_id, always, "Id of the event.");
  visit.own("event_type", it.event_type, always, "Type of the event.");
  visit.own("key", it.key, where_known, "Ordering key of the event.");
}

template <class Visit>
void fields(Visit& visit, Is<DeliveryDead> auto& it) {
  delivery_fields(visit, it);
  visit.own("attempts", it.attempts, always, "How often it was delivered.");
  visit.own("reason", it.reason, always, "Why it was refused the last time.");
  visit.own("first_failed_at", it.first_failed_at, where_known, "When it was refused the first time.");
}

template <class Visit>
void fields(Visit& visit, Is<DeliveryReplayed> auto& it) {
  delivery_fields(visit, it);
  visit.own("by", it.by, where_known, "Actor who asked for it.");
}

template <class Visit>
void fields(Visit& visit, Is<DeliveryDiscarded> auto& it) {
  delivery_fields(visit, it);
  visit.own("by", it.by, where_known, "Actor who asked for it.");
  visit.own("reason", it.reason, where_known, "Why, for people.");
}

template <class Visit>
void fields(Visit& visit, Is<SubscriptionCreated> auto& it) {
  visit.subject("subscription", it.subscription, "Name of the subscription.");
  visit.own("filter", it.filter, where_known, "JSON text of its filters; absent: every event.");
  visit.own("delivery", it.delivery, always, "handler, pull, webhook, websocket or sse.");
  visit.own("start", it.start, always, "now, beginning, offset:<n> or time:<RFC 3339>.");
  visit.own("on_dead", it.on_dead, always, "hold: its key waits; continue: the next events go on.");
}

template <class Visit>
void fields(Visit& visit, Is<SubscriptionDeleted> auto& it) {
  visit.subject("subscription", it.subscription, "Name of the subscription.");
}

template <class Visit>
void fields(Visit& visit, Is<SubscriptionPaused> auto& it) {
  visit.subject("subscription", it.subscription, "Name of the subscription.");
  visit.own("reason", it.reason, where_known, "Why, for people.");
}

template <class Visit>
void fields(Visit& visit, Is<SubscriptionResumed> auto& it) {
  visit.subject("subscription", it.subscription, "Name of the subscription.");
}

template <class Visit>
void fields(Visit& visit, Is<SubscriptionSought> auto& it) {
  visit.subject("subscription", it.subscription, "Name of the subscription.");
  visit.own("from_offset", it.from_offset, always, "Where it was.");
  visit.own("to_offset", it.to_offset, always, "Where it goes on.");
}

template <class Visit>
void fields(Visit& visit, Is<SubscriptionStalled> auto& it) {
  visit.subject("subscription", it.subscription, "Name of the subscription.");
  visit.own("since", it.since, where_known, "When it last got on.");
  visit.own("oldest_offset", it.oldest_offset, always, "Offset of the oldest event it has not acknowledged.");
  visit.own("reason", it.reason, where_known, "What is known of the cause.");
}

template <class Visit>
void fields(Visit& visit, Is<SubscriptionRecovered> auto& it) {
  visit.subject("subscription", it.subscription, "Name of the subscription.");
  visit.own("stalled_seconds", it.stalled_seconds, always, "How long it had not got on.");
}

HEADRACE_EVENTS_WORD(DeliveryDead)
HEADRACE_EVENTS_WORD(DeliveryReplayed)
HEADRACE_EVENTS_WORD(DeliveryDiscarded)
HEADRACE_EVENTS_WORD(SubscriptionCreated)
HEADRACE_EVENTS_WORD(SubscriptionDeleted)
HEADRACE_EVENTS_WORD(SubscriptionPaused)
HEADRACE_EVENTS_WORD(SubscriptionResumed)
HEADRACE_EVENTS_WORD(SubscriptionSought)
HEADRACE_EVENTS_WORD(SubscriptionStalled)
HEADRACE_EVENTS_WORD(SubscriptionRecovered)

std::vector<codec::Entry> codec::bus_words() {
  constexpr std::string_view service = "bus";
  return {
      entry<DeliveryDead>(
          "DeliveryDead", service,
          "A delivery was refused as often as its subscription allows; it points to the original event."),
      entry<DeliveryReplayed>("DeliveryReplayed", service, "A dead delivery is tried again."),
      entry<DeliveryDiscarded>("DeliveryDiscarded", service, "A dead delivery was given up for good."),
      entry<SubscriptionCreated>("SubscriptionCreated", service, "Somebody hears from now on."),
      entry<SubscriptionDeleted>("SubscriptionDeleted", service, "A subscription is gone, with its place in the log."),
      entry<SubscriptionPaused>("SubscriptionPaused", service, "A subscription gets nothing until it is resumed."),
      entry<SubscriptionResumed>("SubscriptionResumed", service, "A paused subscription goes on."),
      entry<SubscriptionSought>("SubscriptionSought", service,
                                "A subscription was moved to another place in the log by hand."),
      entry<SubscriptionStalled>("SubscriptionStalled", service,
                                 "A subscription has events to hear and does not get on."),
      entry<SubscriptionRecovered>("SubscriptionRecovered", service, "A stalled subscription gets on again."),
  };
}

}  // namespace headrace::events
