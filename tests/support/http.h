// HTTP/1.1 as a test wants it: plain sockets that share nothing with the code under test, so that a mistake on one side
// is not mirrored on the other. Blocking, a connection a request.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "support/process.h"

namespace headrace::support {

struct Answer {
  int status = 0;                              // 0: no answer
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

struct Request {
  std::string method = "GET";
  std::string target;
  std::vector<std::string> headers;  // "Name: value"
  std::string body;
};

// A TCP connection to 127.0.0.1:port.
class Socket {
 public:
  explicit Socket(int port);
  ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  bool connected() const { return connected_; }
  bool send(const std::string& bytes) const;  // false: the other side closed it
  // What comes next: empty at the end of the stream, or when nothing came within `limit`.
  std::string receive(milliseconds limit = patience) const;

 private:
  int descriptor_ = -1;
  bool connected_ = false;
};

Answer ask(int port, const Request& request, milliseconds limit = patience);

// Of a server-sent events stream: ids and data until `count` events came or `limit` passed.
struct SentEvent {
  std::string id;
  std::string data;
};
std::vector<SentEvent> listen(int port, const Request& request, size_t count, milliseconds limit = patience);

}  // namespace headrace::support
