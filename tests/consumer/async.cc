// The same without waiting: a handler that is a coroutine, durable under its name, and a publish that calls back.
#include <bus/bus.h>

#include <future>
#include <iostream>

namespace bus = headrace::bus;
namespace core = headrace::core;

core::Task<core::Result<>> greet(bus::Delivery delivery) {
  std::cout << "attempt " << delivery.attempt() << ": " << delivery.event().data << std::endl;
  co_return core::Result<>();
}

int main() {
  auto events = bus::Local::open("./async-events");
  if (!events) return std::cerr << events.error().message << "\n", 1;
  bus::Subscription mine;
  mine.name = "greeter";
  mine.filter = "type = 'com.example.greeted'";
  mine.sync = true;
  auto held = (*events)->subscribe(std::move(mine), bus::Local::HearTask(greet));
  if (!held) return std::cerr << held.error().message << "\n", 1;

  std::promise<core::Result<bus::Published>> said;
  (*events)->publish_async({.type = "com.example.greeted", .data = R"({"hello":"async"})"},
                           [&said](core::Result<bus::Published> published) { said.set_value(std::move(published)); });
  const auto published = said.get_future().get();
  if (!published) return std::cerr << published.error().message << "\n", 1;
  std::cout << "offset " << published->offsets.front() << std::endl;
  auto waited = (*events)->publish({.type = "com.example.greeted", .data = R"({"hello":"again"})"});
  return waited && waited->handled ? 0 : 1;
}
