#include "bus/local.h"

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <future>
#include <stdexcept>
#include <thread>

#include "bus/bus.h"
#include "core/disk.h"
#include "log/segment_log.h"

namespace headrace::bus {

namespace {

constexpr size_t blocking_threads = 1;

core::Result<> hear(const Local::Hear& handler, const Delivery& delivery) {
  handler(delivery.event());
  return {};
}

// Tasks of a Local are spawned on its loop by functions, for a capturing lambda must be no coroutine.
core::Task<> publish_and_tell(Bus& bus, std::vector<events::Event> events, Publish options, Local::Done done) {
  auto published = co_await bus.publish(std::move(events), std::move(options));
  if (done) done(std::move(published));
}

core::Task<core::Result<Published>> publish_there(Bus& bus, core::Executor there, std::vector<events::Event> events,
                                                  Publish options) {
  auto task = bus.publish(std::move(events), std::move(options));
  co_return co_await boost::asio::co_spawn(there, std::move(task), boost::asio::use_awaitable);
}

core::Task<> leave(Bus& bus, std::string name, std::shared_ptr<std::promise<void>> left) {
  co_await bus.unsubscribe(std::move(name));
  left->set_value();
}

}  // namespace

events::Event to_event(Draft draft, std::string id, core::Time now) {
  events::Event event;
  event.id = draft.id.empty() ? std::move(id) : std::move(draft.id);
  event.source = std::move(draft.source);
  event.type = std::move(draft.type);
  event.subject = std::move(draft.subject);
  event.time = now;
  event.extensions = std::move(draft.extensions);
  event.has_data = !draft.data.empty();
  if (event.has_data) event.datacontenttype = "application/json";
  event.data = std::move(draft.data);
  return event;
}

struct Local::Impl {
  core::SystemDisk disk;
  core::SystemClock clock;
  core::SystemRandom random;
  core::IdSource ids{clock, random};
  core::Loop loop;
  std::unique_ptr<log::SegmentLog> log;
  std::unique_ptr<core::Pool> pool;
  std::unique_ptr<Bus> bus;
  std::thread thread;
  std::atomic<std::thread::id> loop_thread;
  std::atomic<uint64_t> next_name{1};
  std::shared_ptr<bool> open_still = std::make_shared<bool>(true);  // a Held that is left later finds it gone

  bool on_loop() const { return std::this_thread::get_id() == loop_thread; }

  core::Result<> open(const std::string& folder) {
    if (auto made = disk.make_directories(folder + "/log"); !made) return made;
    auto opened = log::SegmentLog::open(disk, clock, random, folder + "/log");
    if (!opened) return std::unexpected(opened.error());
    log = std::move(*opened);
    pool = std::make_unique<core::Pool>("bus", core::Pool::Limits{.threads = blocking_threads});
    Parts parts{loop, clock, random, ids, *log, pool.get(), folder + "/bus.db"};
    auto made = Bus::open(std::move(parts));
    if (!made) return std::unexpected(made.error());
    bus = std::move(*made);
    bus->start();
    loop.keep_running();
    thread = std::thread([this] {
      loop_thread = std::this_thread::get_id();
      loop.run();
    });
    return {};
  }

  // Runs `work` on the loop and waits for what it returns.
  template <class Work, class T = std::invoke_result_t<Work>>
  T call(Work work) {
    if (on_loop()) return work();
    std::packaged_task<T()> task(std::move(work));
    auto answer = task.get_future();
    loop.post([&task] { task(); });
    return answer.get();
  }

  Held held(std::string name) {
    return Held([this, name = std::move(name), here = std::weak_ptr(open_still)] {
      if (here.expired()) return;
      auto left = std::make_shared<std::promise<void>>();
      auto gone = left->get_future();
      loop.post([this, name, left] { loop.spawn(leave(*bus, name, left)); });
      if (!on_loop()) gone.wait();
    });
  }

  template <class H>
  core::Result<Held> subscribe(Subscription subscription, H handler) {
    std::string name = subscription.name;
    auto subscribed = call([&] { return bus->subscribe(std::move(subscription), std::move(handler)); });
    if (!subscribed) return std::unexpected(subscribed.error());
    return held(std::move(name));
  }

  ~Impl() {
    open_still.reset();
    if (thread.joinable()) {
      loop.post([this] { loop.spawn(end()); });
      thread.join();
    }
    bus.reset();
    pool.reset();
    log.reset();  // before the loop, whose tasks it may still answer
  }

  core::Task<> end() {
    co_await bus->close();
    loop.stop();
  }
};

Local::Local(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Local::~Local() = default;

Local::Local(std::string folder) : impl_(std::make_unique<Impl>()) {
  if (auto opened = impl_->open(folder); !opened)
    throw std::runtime_error("Opening the bus in " + folder + ": " + opened.error().message);
}

core::Result<std::unique_ptr<Local>> Local::open(std::string folder) {
  auto impl = std::make_unique<Impl>();
  if (auto opened = impl->open(folder); !opened) return core::pass_on(opened.error(), "opening the bus in " + folder);
  return std::unique_ptr<Local>(new Local(std::move(impl)));
}

Held Local::subscribe(std::string_view filter, Hear handler) {
  Subscription subscription;
  subscription.name = "local/" + std::to_string(impl_->next_name++);
  subscription.filter = filter;
  subscription.order_by = "*";
  subscription.sync = true;
  subscription.durable = false;
  auto held = subscribe(std::move(subscription), std::move(handler));
  if (!held) throw std::runtime_error(held.error().message);
  return std::move(*held);
}

core::Result<Held> Local::subscribe(Subscription subscription, Hear handler) {
  Handler plain = [handler = std::move(handler)](const Delivery& delivery) { return hear(handler, delivery); };
  return impl_->subscribe(std::move(subscription), std::move(plain));
}

core::Result<Held> Local::subscribe(Subscription subscription, HearTask handler) {
  AsyncHandler task = std::move(handler);
  return impl_->subscribe(std::move(subscription), std::move(task));
}

core::Result<Published> Local::publish(Draft draft, Sync sync) {
  std::vector<events::Event> one;
  one.push_back(to_event(std::move(draft), impl_->ids.next(), impl_->clock.now()));
  Publish options;
  options.sync = sync;
  return publish(std::move(one), std::move(options));
}

core::Result<Published> Local::publish(std::vector<events::Event> events, Publish options) {
  if (impl_->on_loop())
    return core::fail(core::Code::invalid,
                      "publish() within a handler would wait for itself. Use publish_async, or co_await publish_task.");
  auto promise = std::make_shared<std::promise<core::Result<Published>>>();
  auto answer = promise->get_future();
  publish_async(std::move(events), std::move(options),
                [promise](core::Result<Published> published) { promise->set_value(std::move(published)); });
  return answer.get();
}

void Local::publish_async(Draft draft, Done done) {
  std::vector<events::Event> one;
  one.push_back(to_event(std::move(draft), impl_->ids.next(), impl_->clock.now()));
  publish_async(std::move(one), {}, std::move(done));
}

void Local::publish_async(std::vector<events::Event> events, Publish options, Done done) {
  auto* impl = impl_.get();
  impl->loop.post([impl, events = std::move(events), options = std::move(options), done = std::move(done)]() mutable {
    impl->loop.spawn(publish_and_tell(*impl->bus, std::move(events), std::move(options), std::move(done)));
  });
}

core::Task<core::Result<Published>> Local::publish_task(Draft draft, Sync sync) {
  std::vector<events::Event> one;
  one.push_back(to_event(std::move(draft), impl_->ids.next(), impl_->clock.now()));
  Publish options;
  options.sync = sync;
  return publish_there(*impl_->bus, impl_->loop.executor(), std::move(one), std::move(options));
}

void Local::with(std::function<void(Bus&)> work) {
  impl_->call([&] { work(*impl_->bus); });
}

}  // namespace headrace::bus
