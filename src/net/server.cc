#include "net/server.h"

#include <utility>

#include "net/connection.h"
#include "net/listener.h"
#include "net/server_state.h"
#include "net/websocket_impl.h"

namespace headrace::net {

struct Server::Impl {
  Impl(core::Executor executor, core::Clock& clock, Handler handler, Limits limits)
      : state(executor, clock, std::move(handler), limits), listening(executor), serving(executor) {}

  void serve(Stream stream, Peer peer) {
    auto connection = std::make_shared<Connection>(state, std::move(stream), std::move(peer));
    serving.spawn("connection", Connection::serve(std::move(connection)));
  }

  void tell_all() {
    for (Link* link = state.connections.after; link != &state.connections;) {
      auto& connection = static_cast<Connection&>(*link);
      link = link->after;
      connection.stop();
    }
    for (Link* link = state.websockets.after; link != &state.websockets;) {
      auto& socket = static_cast<WebSocket::Impl&>(*link);
      link = link->after;
      socket.begin_close(CloseCode::going_away, "The server shuts down.");
    }
  }

  void cut_all() {
    serving.cancel();
    for (Link* link = state.websockets.after; link != &state.websockets;) {
      auto& socket = static_cast<WebSocket::Impl&>(*link);
      link = link->after;
      socket.cut();
    }
  }

  static core::Task<> cut_after(Impl& self, std::chrono::milliseconds deadline) {
    co_await self.state.clock.sleep_for(deadline);
    self.cut_all();
  }

  ServerState state;
  std::vector<std::unique_ptr<Listener>> listeners;
  core::Scope listening;
  core::Scope serving;
};

Server::Server(core::Executor executor, core::Clock& clock, Handler handler, Limits limits)
    : impl_(std::make_unique<Impl>(std::move(executor), clock, std::move(handler), limits)) {}

Server::~Server() = default;

core::Result<std::string> Server::listen(const std::string& address, const std::optional<TlsCertificate>& tls) {
  auto parsed = parse_address(address);
  if (!parsed) return std::unexpected(std::move(parsed.error()));
  core::Result<std::shared_ptr<TlsContext>> context;
  if (tls) context = make_server_tls(tls->chain, tls->key);
  if (!context) return std::unexpected(std::move(context.error()));
  auto socket = listen_on(*parsed);
  if (!socket) return std::unexpected(std::move(socket.error()));
  auto serve = [impl = impl_.get()](Stream stream, Peer peer) { impl->serve(std::move(stream), std::move(peer)); };
  impl_->listeners.push_back(
      std::make_unique<Listener>(impl_->state, std::move(*socket), *parsed, std::move(*context), std::move(serve)));
  impl_->listening.spawn("listening on " + to_string(*parsed), impl_->listeners.back()->accept_on());
  return to_string(*parsed);
}

core::Result<> Server::take_over(int descriptor) {
  Socket socket(descriptor);
  Address address;
  address.size = sizeof address.storage;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address.storage), &address.size) != 0)
    return std::unexpected(core::error_of_errno(errno, "listening"));
  auto serve = [impl = impl_.get()](Stream stream, Peer peer) { impl->serve(std::move(stream), std::move(peer)); };
  impl_->listeners.push_back(
      std::make_unique<Listener>(impl_->state, std::move(socket), address, nullptr, std::move(serve)));
  impl_->listening.spawn("listening on " + to_string(address), impl_->listeners.back()->accept_on());
  return {};
}

core::Task<> Server::shutdown(std::chrono::milliseconds deadline) {
  Impl& here = *impl_;
  co_await here.listening.close();
  here.listeners.clear();
  here.state.stopping = true;
  here.tell_all();
  core::Scope limit(here.state.executor);
  limit.spawn("the deadline of a shutdown", Impl::cut_after(here, deadline));
  co_await here.serving.until_idle();
  co_await limit.close();
  here.cut_all();
}

const ServerCounters& Server::counters() const {
  ServerCounters& counters = impl_->state.counters;
  const Traffic& traffic = *impl_->state.traffic;
  counters.connections_open = traffic.open;
  counters.bytes_received = traffic.received;
  counters.bytes_sent = traffic.sent;
  counters.timeouts = traffic.timeouts;
  counters.websockets_open = 0;
  for (const Link* link = impl_->state.websockets.after; link != &impl_->state.websockets; link = link->after)
    ++counters.websockets_open;
  return counters;
}

}  // namespace headrace::net
