// Blocking clients that publish over HTTP and WebSocket, to Redis and to NATS, with the same events in flight on each
// side. They take as little of the processor as they can, for the servers share it: messages stand ready before the
// clock starts, only the numbers of their events are written anew; what is posted together goes out in one write, and
// answers are taken as many as have come. It is how redis-benchmark pipelines.
#pragma once

#include "platform_parts.h"

namespace headrace::bench {

constexpr std::string_view number_place = "############";

// A message that stands ready but for the numbers of the events in it.
class Stencil {
 public:
  explicit Stencil(std::string bytes) : bytes_(std::move(bytes)) {
    for (size_t at = 0; (at = bytes_.find(number_place, at)) != std::string::npos; at += number_place.size())
      places_.push_back(at);
  }
  int64_t events() const { return static_cast<int64_t>(places_.size()); }
  const std::string& numbered(int64_t number) {
    for (size_t place : places_) write(number++, place);
    return bytes_;
  }

 private:
  void write(int64_t number, size_t place) {
    for (size_t digit = number_place.size(); digit-- > 0; number /= 10)
      bytes_[place + digit] = static_cast<char>('0' + number % 10);
  }

  std::string bytes_;
  std::vector<size_t> places_;
};

class Publisher {
 public:
  // Its events are numbered from `first` on.
  Publisher(int port, int64_t first) : wire_(port), next_(first) {}
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;
  virtual ~Publisher() = default;

  void post(int messages) {
    out_.clear();
    for (int i = 0; i < messages; ++i, next_ += message_.events()) out_ += message_.numbered(next_);
    wire_.send(out_);
  }
  // Waits until a message is acknowledged; how many are.
  int settle() {
    int settled = 0;
    while (settled == 0) {
      size_t taken = 0;
      for (size_t size = 0; (size = answer_in(std::string_view(wire_.received()).substr(taken))) > 0; taken += size)
        ++settled;
      wire_.received().erase(0, taken);
      if (settled == 0) wire_.receive();
    }
    return settled;
  }
  int64_t events_a_message() const { return message_.events(); }

 protected:
  // The size of the answer at the front of what has come; 0: it is not whole. Ends the benchmark if it is no good one.
  virtual size_t answer_in(std::string_view come) const = 0;

  Wire wire_;
  Stencil message_{{}};

 private:
  int64_t next_;
  std::string out_;
};

inline size_t number_in(std::string_view text) { return std::stoul(std::string(text.substr(0, 20))); }

class HttpPublisher : public Publisher {
 public:
  HttpPublisher(int port, int64_t first, const std::string& token, const std::string& type, const std::string& body)
      : Publisher(port, first) {
    message_ =
        Stencil("POST /api/v1/events HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " + token +
                "\r\nContent-Type: " + type + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }

 protected:
  size_t answer_in(std::string_view come) const override {
    constexpr std::string_view length = "Content-Length: ";
    const size_t head = come.find("\r\n\r\n");
    if (head == std::string_view::npos) return 0;
    const size_t size = head + 4 + number_in(come.substr(come.find(length) + length.size()));
    if (come.size() < size) return 0;
    if (!come.starts_with("HTTP/1.1 2")) Wire::fail("publishing over HTTP was refused: " + std::string(come));
    return size;
  }
};

// RFC 6455: a client masks; the mask is zero, which leaves the bytes as they are.
class WebSocketPublisher : public Publisher {
 public:
  WebSocketPublisher(int port, int64_t first, const std::string& token, const std::string& event)
      : Publisher(port, first) {
    wire_.send("GET /api/v1/events/publish HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " + token +
               "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
               "Sec-WebSocket-Protocol: headrace-publish.1\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    if (wire_.line().substr(9, 3) != "101") Wire::fail("the WebSocket was refused");
    while (!wire_.line().empty()) continue;
    message_ = Stencil(frame_of(event));
  }

 protected:
  size_t answer_in(std::string_view come) const override {
    if (come.size() < 4) return 0;
    size_t size = static_cast<unsigned char>(come[1]) & 0x7f;
    size_t head = 2;
    if (size == 126) {
      size = static_cast<size_t>(static_cast<unsigned char>(come[2])) << 8 | static_cast<unsigned char>(come[3]);
      head = 4;
    }
    if (come.size() < head + size) return 0;
    if (come.substr(head, size).contains("\"error\""))
      Wire::fail("publishing over WebSocket was refused: " + std::string(come.substr(head, size)));
    return head + size;
  }

 private:
  static std::string frame_of(const std::string& event) {
    if (event.size() < 126 || event.size() > 0xffff) Wire::fail("the event does not fit a frame of medium size");
    std::string frame = "\x81";
    frame += static_cast<char>(0x80 | 126);
    frame += static_cast<char>(event.size() >> 8);
    frame += static_cast<char>(event.size() & 0xff);
    return frame.append(4, '\0').append(event);
  }
};

class RedisPublisher : public Publisher {
 public:
  RedisPublisher(int port, int64_t first, const std::string& event) : Publisher(port, first) {
    message_ = Stencil("*5\r\n$4\r\nXADD\r\n$1\r\ns\r\n$1\r\n*\r\n$1\r\nd\r\n$" + std::to_string(event.size()) +
                       "\r\n" + event + "\r\n");
  }

 protected:
  size_t answer_in(std::string_view come) const override {
    const size_t head = come.find("\r\n");
    if (head == std::string_view::npos) return 0;
    if (come[0] != '$') Wire::fail("Redis refused XADD: " + std::string(come.substr(0, head)));
    const size_t end = come.find("\r\n", head + 2);
    return end == std::string_view::npos ? 0 : end + 2;
  }
};

// JetStream over the plain protocol: a publish with a reply subject is acknowledged there.
class NatsPublisher : public Publisher {
 public:
  NatsPublisher(int port, int64_t first, const std::string& event) : Publisher(port, first) {
    wire_.line();  // INFO
    wire_.send("CONNECT {\"verbose\":false}\r\nSUB _INBOX.b 1\r\n");
    const std::string stream = R"({"name":"B","subjects":["b"],"storage":"file"})";
    wire_.send("PUB $JS.API.STREAM.CREATE.B _INBOX.b " + std::to_string(stream.size()) + "\r\n" + stream + "\r\n");
    settle();
    message_ = Stencil("PUB b _INBOX.b " + std::to_string(event.size()) + "\r\n" + event + "\r\n");
  }

 protected:
  size_t answer_in(std::string_view come) const override {
    const size_t head = come.find("\r\n");
    if (head == std::string_view::npos) return 0;
    const std::string_view line = come.substr(0, head);
    if (line.starts_with("PING") || line.starts_with("+OK")) {
      const size_t next = answer_in(come.substr(head + 2));
      return next == 0 ? 0 : head + 2 + next;
    }
    if (!line.starts_with("MSG ")) Wire::fail("NATS refused: " + std::string(line));
    const size_t size = number_in(line.substr(line.rfind(' ') + 1));
    if (come.size() < head + 2 + size + 2) return 0;
    if (come.substr(head + 2, size).contains("\"error\""))
      Wire::fail("JetStream refused: " + std::string(come.substr(head + 2, size)));
    return head + 2 + size + 2;
  }
};

}  // namespace headrace::bench
