#include "net/client_state.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstring>
#include <utility>

namespace headrace::net {

namespace asio = boost::asio;

namespace {

std::unexpected<core::Error> unreachable(const Url& url, const core::Error& why) {
  const std::string reason = why.code == core::Code::exhausted ? "it did not answer in time"
                             : why.detail.empty()              ? why.message
                                                               : why.message + " (" + why.detail + ")";
  return core::fail(core::Code::unavailable, "No connection to " + url.scheme + "://" + url.authority() + ": " + reason,
                    why.detail);
}

}  // namespace

Client::Impl::Impl(core::Executor on, core::Clock& time, ClientOptions wishes)
    : executor(on),
      clock(time),
      options(std::move(wishes)),
      timers(on, time, options.tick),
      traffic(std::make_shared<Traffic>()) {}

core::Task<core::Result<std::unique_ptr<Line>>> Client::Impl::line_to(Url url, bool fresh) {
  std::string to = (url.secure() ? "s " : "p ") + url.authority();
  if (!fresh)
    if (auto line = kept_line(to)) co_return line;
  auto addresses = co_await addresses_of(url);
  if (!addresses) co_return unreachable(url, addresses.error());
  core::Result<std::unique_ptr<Line>> line = core::fail(core::Code::unavailable, "the name has no address");
  for (const Address& address : *addresses) {
    line = co_await connect(url, to, address);
    if (line) co_return line;
  }
  co_return unreachable(url, line.error());
}

// One that still stands: nothing has come on it, neither bytes nor its end.
std::unique_ptr<Line> Client::Impl::kept_line(const std::string& to) {
  const core::Steady oldest = clock.steady() - options.keep_alive;
  std::erase_if(idle_, [&](const auto& line) { return line->kept_since < oldest; });
  for (size_t i = idle_.size(); i-- > 0;) {
    if (idle_[i]->to != to) continue;
    auto line = std::move(idle_[i]);
    idle_.erase(idle_.begin() + static_cast<ptrdiff_t>(i));
    if (line->stream.try_read(line->in.prepare(1)).kind == Step::Kind::wants_read) return line;
  }
  return nullptr;
}

void Client::Impl::give_back(std::unique_ptr<Line> line) {
  if (options.idle_connections_max == 0) return;
  line->used_before = true;
  line->kept_since = clock.steady();
  line->in.release(0);
  line->stream.read_whenever();
  if (idle_.size() == options.idle_connections_max) idle_.erase(idle_.begin());
  idle_.push_back(std::move(line));
}

core::Task<core::Result<std::vector<Address>>> Client::Impl::addresses_of(Url url) {
  const std::string host = url.host.contains(':') ? "[" + url.host + "]" : url.host;
  auto known = parse_address(options.unix_socket.empty() ? host + ":" + std::to_string(url.port)
                                                         : "unix:" + options.unix_socket);
  if (known) co_return std::vector<Address>{*known};
  if (!options.unix_socket.empty()) co_return std::unexpected(std::move(known.error()));
  asio::ip::tcp::resolver resolver(executor);  // getaddrinfo on a thread of Asio's, within the resolver's own time-outs
  auto [error, found] =
      co_await resolver.async_resolve(url.host, std::to_string(url.port), asio::as_tuple(asio::use_awaitable));
  if (error) co_return core::fail(core::Code::unavailable, "the name is not known (" + error.message() + ")");
  std::vector<Address> addresses;
  for (const auto& entry : found) {
    Address& address = addresses.emplace_back();
    address.size = static_cast<socklen_t>(entry.endpoint().size());
    std::memcpy(&address.storage, entry.endpoint().data(), address.size);
  }
  co_return addresses;
}

core::Result<std::unique_ptr<TlsSession>> Client::Impl::tls_to(const Url& url, int descriptor) {
  if (!url.secure()) return std::unique_ptr<TlsSession>();
  if (!tls_) {
    auto made = make_client_tls(options.trusted_pem);
    if (!made) return std::unexpected(std::move(made.error()));
    tls_ = std::move(*made);
  }
  return tls_->open(descriptor, url.host);
}

core::Task<core::Result<std::unique_ptr<Line>>> Client::Impl::connect(Url url, std::string to, Address address) {
  auto socket = begin_connect(address);
  if (!socket) co_return std::unexpected(std::move(socket.error()));
  auto session = tls_to(url, socket->get());
  if (!session) co_return std::unexpected(std::move(session.error()));
  auto line =
      std::make_unique<Line>(Line{.stream = Stream(executor, socket->release(), timers, traffic, std::move(*session)),
                                  .in = {},
                                  .to = std::move(to)});
  line->stream.read_within(options.connect);
  auto writable = co_await line->stream.until_writable(options.connect);
  if (writable) writable = connected(line->stream.descriptor(), to_string(address));
  if (writable) writable = co_await line->stream.shake_hands();
  if (!writable) co_return std::unexpected(std::move(writable.error()));
  line->stream.read_whenever();
  co_return line;
}

}  // namespace headrace::net
