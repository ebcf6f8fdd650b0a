// A server on a loopback port with a clock that the test moves, and raw clients that say whatever bytes they like. All
// on the test's own thread: the loop runs while a client waits.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/task.h"
#include "core/testing/simulated_clock.h"
#include "net/client.h"
#include "net/server.h"

namespace headrace::net::testing {

class World;

// One end of a connection, without any knowledge of HTTP.
class Wire {
 public:
  Wire(World& world, const std::string& address, int receive_buffer = 0);  // 0: the kernel's default
  ~Wire();
  Wire(Wire&& other) noexcept;

  Wire& send(std::string_view bytes);        // all of it; the loop runs while the kernel takes no more
  std::string until(std::string_view mark);  // everything received up to and with it; shorter if the connection ends
  std::string bytes(size_t count);
  std::string rest();   // everything until the other end closes
  std::string ready();  // what is there now, after the loop has come to rest
  bool closed();        // the other end has closed, and everything before has been received
  void close();
  void reset();  // closes with a reset, as a killed client does

 private:
  bool take_more();
  std::string take(size_t count);

  World& world_;
  int descriptor_;
  std::string received_;
  bool ended_ = false;
};

class World {
 public:
  explicit World(Handler handler, Limits limits = {}, const std::optional<TlsCertificate>& tls = {},
                 const std::string& listen_on = "127.0.0.1:0");
  ~World();  // shuts the server down, unless the test has destroyed it

  Wire connect() { return Wire(*this, address); }
  std::string url(std::string_view path) const;  // "http://127.0.0.1:port" + path

  // Sends one request on a connection of its own and returns everything until the server closes: say Connection: close.
  std::string ask(std::string_view bytes);

  // Runs the loop until it holds; false after ten seconds of real time.
  bool until(const std::function<bool()>& holds);
  void settle();  // runs what is ready
  void advance(core::Duration duration) { clock.advance(duration); }
  template <class T>
  T run(core::Task<T> task) {
    return loop.run(std::move(task));
  }

  core::Loop loop;
  core::testing::SimulatedClock clock{loop};
  std::optional<Server> server;
  std::string address;
  bool secure = false;
};

}  // namespace headrace::net::testing
