// rooms: bus log sqlite filter events core
//
// The bus within one process. Topic beside a plain std::function vector and Boost.Signals2; subscriptions on a durable
// log beside the figures recorded for JetStream and Redis over TCP (EVENT-LOG.md, section 3), which say where the bus
// stands before a socket is added, and beside the log's own acknowledgement, which is the floor of what it can take.
#include <unistd.h>

#include <boost/signals2/signal.hpp>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bus/bell.h"
#include "bus/bus.h"
#include "core/disk.h"
#include "log/segment_log.h"
#include "report.h"

namespace headrace::bus {
namespace {

using bench::Better;

constexpr int rounds = 5;
constexpr int64_t publishes = 2'000'000;
constexpr size_t data_bytes = 1024;
constexpr double jetstream_pull = 79'300;      // recorded: events/s, pull 256, with acknowledgement
constexpr double jetstream_fan_out = 197'000;  // recorded: deliveries/s, 1 to 10
constexpr double redis_handler_us = 299;       // recorded: publish -> handler, appendfsync always

// --- In process

struct Reading {
  int64_t value = 0;
};
int64_t total = 0;
void take(const Reading& reading) { total += reading.value; }

template <class Publish>
double nanoseconds_each(int64_t times, Publish publish) {
  const double took = bench::seconds([&] {
    for (int64_t i = 0; i < times; ++i) publish(Reading{i});
  });
  return took * 1e9 / static_cast<double>(times);
}

double with_topic(size_t handlers, int64_t times) {
  Topic<Reading> topic;
  std::vector<Held> held;
  for (size_t i = 0; i < handlers; ++i) held.push_back(topic.subscribe(take));
  return nanoseconds_each(times, [&](const Reading& reading) { topic.publish(reading); });
}

double with_vector(size_t handlers, int64_t times) {
  std::vector<std::function<void(const Reading&)>> all(handlers, take);
  return nanoseconds_each(times, [&](const Reading& reading) {
    for (const auto& handler : all) handler(reading);
  });
}

double with_signals(size_t handlers, int64_t times) {
  boost::signals2::signal<void(const Reading&)> signal;
  for (size_t i = 0; i < handlers; ++i) signal.connect(take);
  return nanoseconds_each(times, [&](const Reading& reading) { signal(reading); });
}

void in_process(size_t handlers, double slower_at_most) {
  const int64_t times = publishes / static_cast<int64_t>(handlers);
  auto sides = bench::alternate(
      rounds, [&] { return with_topic(handlers, times); }, [&] { return with_vector(handlers, times); });
  bench::print(
      {.figure = "bus: in-process publish, " + std::to_string(handlers) + (handlers == 1 ? " handler" : " handlers"),
       .unit = "ns",
       .ours = sides.ours,
       .reference = sides.reference,
       .against = "a std::vector of std::function, called in turn",
       .better = Better::lower,
       .target = bench::ratio(1 / slower_at_most),
       .note = "Topic: any thread may come and go meanwhile"});
}

void beside_signals() {
  auto sides =
      bench::alternate(rounds, [] { return with_topic(1, publishes); }, [] { return with_signals(1, publishes); });
  bench::print({.figure = "bus: in-process publish, 1 handler",
                .unit = "ns",
                .ours = sides.ours,
                .reference = sides.reference,
                .against = "Boost.Signals2",
                .better = Better::lower,
                .target = bench::ratio(2.0),
                .note = {}});
}

// --- On a durable log

class Stand {
 public:
  Stand() {
    const char* given = std::getenv("HEADRACE_BENCH_DIR");
    folder_ = std::filesystem::path(given != nullptr ? given : "/var/tmp") /
              ("headrace-bus-bench-" + std::to_string(getpid()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    auto opened = log::SegmentLog::open(disk_, clock_, random_, (folder_ / "log").string());
    core::require(opened.has_value(), opened ? "" : opened.error().message.c_str());
    log_ = std::move(*opened);
    auto bus = Bus::open({loop_, clock_, random_, ids_, *log_, &pool_, (folder_ / "bus.db").string()});
    core::require(bus.has_value(), bus ? "" : bus.error().message.c_str());
    bus_ = std::move(*bus);
    bus_->start();
  }
  ~Stand() {
    loop_.run(bus_->close());
    bus_.reset();
    log_.reset();
    std::filesystem::remove_all(folder_);
  }
  Bus& bus() { return *bus_; }
  core::Loop& loop() { return loop_; }
  log::SegmentLog& log() { return *log_; }
  core::Clock& clock() { return clock_; }

  events::Event event() {
    events::Event made;
    made.id = ids_.next();
    made.source = "/bench";
    made.type = "com.example.measured";
    made.data = '"' + std::string(data_bytes - 2, 'x') + '"';
    made.has_data = true;
    made.datacontenttype = "application/json";
    return made;
  }
  core::Task<> fill(size_t events) {
    for (size_t written = 0; written < events;) {
      std::vector<events::Event> batch;
      for (; batch.size() < 500 && written < events; ++written) batch.push_back(event());
      auto published = co_await bus_->publish(std::move(batch));
      core::require(published.has_value(), "the log takes the events of the benchmark");
    }
  }

 private:
  std::filesystem::path folder_;
  core::SystemDisk disk_;
  core::SystemClock clock_;
  core::SystemRandom random_;
  core::IdSource ids_{clock_, random_};
  core::Loop loop_;
  core::Pool pool_{"bus", {.threads = 1}};
  std::unique_ptr<log::SegmentLog> log_;
  std::unique_ptr<Bus> bus_;
};

Subscription named(std::string name) {
  Subscription subscription;
  subscription.name = std::move(name);
  subscription.start = Start::beginning();
  subscription.concurrency = 256;
  return subscription;
}

core::Task<> pull_all(Stand& stand, size_t events, double& per_second) {
  auto made = co_await stand.bus().create(core::Actor::system(), named("pull"));
  core::require(made.has_value(), "the subscription is made");
  auto pull = std::move(*stand.bus().attach("pull", 256));
  const auto start = stand.clock().steady();
  for (size_t done = 0; done < events;) {
    auto handed = co_await pull->next(256, std::chrono::seconds(10));
    core::require(handed.has_value() && !handed->empty(), "there are events left");
    for (const auto& each : *handed) core::require(pull->acknowledge(each.stored->offset).has_value(), "it is in hand");
    done += handed->size();
  }
  const std::chrono::duration<double> took = stand.clock().steady() - start;
  per_second = static_cast<double>(events) / took.count();
}

double consumed_per_second() {
  constexpr size_t events = 100'000;
  Stand stand;
  double per_second = 0;
  stand.loop().run(stand.fill(events));
  stand.loop().run(pull_all(stand, events, per_second));
  return per_second;
}

core::Task<> until(Bell& bell, const size_t& count, size_t wanted) {
  while (count < wanted) co_await bell.wait(bell.rung());
}

// Published and delivered at the same time: every event is read once and handed to all ten.
double fanned_out_per_second() {
  constexpr size_t events = 50'000, handlers = 10;
  Stand stand;
  size_t delivered = 0;
  Bell all(stand.loop().executor());
  for (size_t i = 0; i < handlers; ++i) {
    auto subscribed = stand.bus().subscribe(named("fan/" + std::to_string(i)), [&](const Delivery&) -> core::Result<> {
      if (++delivered == events * handlers) all.ring();
      return {};
    });
    core::require(subscribed.has_value(), "the handler is subscribed");
  }
  const double took = bench::seconds([&] {
    stand.loop().run(stand.fill(events));
    stand.loop().run(until(all, delivered, events * handlers));
  });
  return static_cast<double>(events * handlers) / took;
}

core::Task<> publish_each(Stand& stand, Bell& heard, const size_t& count, bool wait_for_handler,
                          std::vector<double>& microseconds) {
  constexpr size_t times = 3'000;
  for (size_t i = 0; i < times; ++i) {
    auto event = stand.event();
    const size_t before = count;
    const auto start = stand.clock().steady();
    auto published = co_await stand.bus().publish(std::move(event));
    core::require(published.has_value(), "the log takes the event");
    if (wait_for_handler) co_await until(heard, count, before + 1);
    microseconds.push_back(std::chrono::duration<double, std::micro>(stand.clock().steady() - start).count());
  }
}

double median_publish(bool with_handler) {
  Stand stand;
  size_t count = 0;
  Bell heard(stand.loop().executor());
  if (with_handler) {
    auto subscribed = stand.bus().subscribe(named("handler"), [&](const Delivery&) -> core::Result<> {
      ++count;
      heard.ring();
      return {};
    });
    core::require(subscribed.has_value(), "the handler is subscribed");
  }
  std::vector<double> microseconds;
  stand.loop().run(publish_each(stand, heard, count, with_handler, microseconds));
  return bench::median(std::move(microseconds));
}

void on_the_log() {
  const std::string note = "recorded elsewhere, over TCP; ours within the process, so only roughly comparable";
  bench::print({.figure = "bus: consume and acknowledge, pull 256, 1 KiB",
                .unit = "events/s",
                .ours = consumed_per_second(),
                .reference = jetstream_pull,
                .against = "NATS JetStream 2.9.10 pull (recorded)",
                .better = Better::higher,
                .target = bench::ratio(1.5),
                .note = note});
  bench::print({.figure = "bus: published durably and fanned out 1 to 10, 1 KiB, delivered",
                .unit = "events/s",
                .ours = fanned_out_per_second(),
                .reference = jetstream_fan_out,
                .against = "NATS JetStream 2.9.10 (recorded)",
                .better = Better::higher,
                .target = bench::ratio(1.0),
                .note = note});
  auto sides = bench::alternate(3, [] { return median_publish(true); }, [] { return median_publish(false); });
  bench::print({.figure = "bus: publish to handler, durable, p50",
                .unit = "us",
                .ours = sides.ours,
                .reference = sides.reference,
                .against = "the log's acknowledgement alone, same loop",
                .better = Better::lower,
                .target = {},
                .note = "the handler runs once the event is durable"});
  bench::print({.figure = "bus: publish to handler, durable, p50",
                .unit = "us",
                .ours = sides.ours,
                .reference = redis_handler_us,
                .against = "Redis 7.0.15 appendfsync always (recorded)",
                .better = Better::lower,
                .target = bench::ratio(1.0),
                .note = note});
}

}  // namespace
}  // namespace headrace::bus

int main() {
  namespace bus = headrace::bus;
  bus::in_process(1, 10);
  bus::in_process(100, 1.3);
  bus::beside_signals();
  bus::on_the_log();
  return bus::total == 0 ? 1 : 0;
}
