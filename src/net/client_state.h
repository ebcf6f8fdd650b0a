// What a client's calls share: its connections. Internal to net.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/body.h"
#include "net/buffer.h"
#include "net/client.h"
#include "net/head.h"
#include "net/socket.h"
#include "net/stream.h"
#include "net/tls.h"
#include "net/url.h"

namespace headrace::net {

// A connection to a server, and what has arrived on it.
struct Line {
  Stream stream;
  Buffer in;
  std::string to;  // what it may be used again for: scheme and authority
  bool used_before = false;
  core::Steady kept_since{};
};

struct Client::Impl {
  Impl(core::Executor on, core::Clock& time, ClientOptions wishes);

  core::Task<core::Result<std::unique_ptr<Line>>> line_to(Url url, bool fresh);
  void give_back(std::unique_ptr<Line> line);

  core::Executor executor;
  core::Clock& clock;
  ClientOptions options;
  Timers timers;
  std::shared_ptr<Traffic> traffic;  // shared with the streams

 private:
  std::unique_ptr<Line> kept_line(const std::string& to);
  core::Task<core::Result<std::vector<Address>>> addresses_of(Url url);
  core::Task<core::Result<std::unique_ptr<Line>>> connect(Url url, std::string to, Address address);
  core::Result<std::unique_ptr<TlsSession>> tls_to(const Url& url, int descriptor);

  std::vector<std::unique_ptr<Line>> idle_;  // the one given back last at the end
  std::shared_ptr<TlsContext> tls_;          // made when it is first wanted
};

struct Call::Impl {
  // Connects and sends the head; with RequestBody::whole the body too. `fresh`: not on a kept connection.
  core::Task<core::Result<>> begin(ClientRequest asked, Url to, Client::RequestBody how, std::optional<uint64_t> length,
                                   bool fresh);
  core::Task<core::Result<>> write(std::string_view part);
  core::Task<core::Result<>> finish();
  core::Task<core::Result<Response>> answer();
  core::Task<core::Result<size_t>> read(std::span<std::byte> into);
  core::Task<core::Result<std::string>> body(size_t max);
  core::Task<core::Result<std::unique_ptr<WebSocket>>> upgrade(WebSocketOptions options, std::string key);
  core::Task<core::Error> unexpected(Response response);  // an answer that is of no use, as an error

  std::shared_ptr<Client::Impl> client;  // shared with the client: a line goes back there
  core::Duration body_idle{};
  std::unique_ptr<Line> line;
  bool heard = false;  // any byte of the answer

 private:
  std::string request_head(const ClientRequest& asked, Client::RequestBody how);
  core::Task<core::Result<>> send(Parts parts);
  core::Task<core::Result<ResponseHead>> read_head();
  core::Error named(core::Error error) const;
  core::Error named(std::string why) const { return named(core::Error{core::Code::invalid, std::move(why), {}}); }
  void done();

  Url url_;
  Method method_ = Method::get;
  bool sent_ = false;  // all of the request
  std::optional<core::Error> send_failure_;
  bool chunked_ = false;
  std::optional<uint64_t> left_;    // still to be written of a declared length
  std::optional<uint64_t> length_;  // of the answer
  bool answered_ = false;
  bool keep_alive_ = false;
  BodyDecoder decoder_;
};

}  // namespace headrace::net
