#include "support/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace headrace::support {

namespace {

std::string text_of(const Request& request, bool close) {
  std::string text = request.method + " " + request.target + " HTTP/1.1\r\nHost: 127.0.0.1\r\n";
  if (close) text += "Connection: close\r\n";
  for (const auto& header : request.headers) text += header + "\r\n";
  if (!request.body.empty() || request.method != "GET")
    text += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  return text + "\r\n" + request.body;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// Chunks put together, as far as they came.
std::string dechunked(const std::string& body) {
  std::string whole;
  for (size_t at = 0; at < body.size();) {
    auto end = body.find("\r\n", at);
    if (end == std::string::npos) break;
    size_t size = std::strtoul(body.substr(at, end - at).c_str(), nullptr, 16);
    if (size == 0) break;
    whole += body.substr(end + 2, size);
    at = end + 2 + size + 2;
  }
  return whole;
}

Answer parse(const std::string& text) {
  Answer answer;
  auto head = text.find("\r\n\r\n");
  if (!text.starts_with("HTTP/1.1 ") || head == std::string::npos) return answer;
  answer.status = std::atoi(text.c_str() + 9);
  for (size_t at = text.find("\r\n") + 2; at < head + 2;) {
    auto end = text.find("\r\n", at);
    auto colon = text.find(':', at);
    auto value = text.find_first_not_of(' ', colon + 1);
    answer.headers[lower(text.substr(at, colon - at))] = text.substr(value, end - value);
    at = end + 2;
  }
  answer.body = text.substr(head + 4);
  if (answer.headers["transfer-encoding"] == "chunked") answer.body = dechunked(answer.body);
  return answer;
}

std::vector<SentEvent> events_in(const std::string& body) {
  std::vector<SentEvent> events;
  SentEvent event;
  for (size_t at = 0, end = 0; (end = body.find('\n', at)) != std::string::npos; at = end + 1) {
    std::string line = body.substr(at, end - at);
    if (line.starts_with("id: ")) event.id = line.substr(4);
    if (line.starts_with("data: ")) event.data += line.substr(6);
    if (!line.empty() || event.data.empty()) continue;
    events.push_back(std::move(event));
    event = {};
  }
  return events;
}

}  // namespace

Socket::Socket(int port) : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  connected_ = ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

Socket::~Socket() { ::close(descriptor_); }

bool Socket::send(const std::string& bytes) const {
  for (size_t at = 0; at < bytes.size();) {
    auto put = ::send(descriptor_, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
    if (put <= 0) return false;
    at += static_cast<size_t>(put);
  }
  return true;
}

std::string Socket::receive(milliseconds limit) const {
  pollfd waiting{descriptor_, POLLIN, 0};
  if (::poll(&waiting, 1, static_cast<int>(limit.count())) <= 0) return {};
  std::string bytes(64 * 1024, '\0');
  auto got = ::recv(descriptor_, bytes.data(), bytes.size(), 0);
  bytes.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return bytes;
}

Answer ask(int port, const Request& request, milliseconds limit) {
  Socket socket(port);
  if (!socket.connected() || !socket.send(text_of(request, true))) return {};
  std::string text;
  for (std::string more; !(more = socket.receive(limit)).empty();) text += more;
  return parse(text);
}

std::vector<SentEvent> listen(int port, const Request& request, size_t count, milliseconds limit) {
  Socket socket(port);
  std::vector<SentEvent> events;
  if (!socket.connected() || !socket.send(text_of(request, false))) return events;
  std::string text;
  auto end = std::chrono::steady_clock::now() + limit;
  while (events.size() < count && std::chrono::steady_clock::now() < end) {
    auto more = socket.receive(milliseconds{1'000});
    text += more;
    events = events_in(parse(text).body);
  }
  if (events.size() > count) events.resize(count);
  return events;
}

}  // namespace headrace::support
