#include "server/outbox.h"

namespace headrace::server {

using core::Task;

void Outbox::put(std::string name, std::string data) {
  net::ServerSentEvent event{{}, std::move(name), std::move(data)};
  waiting_.push_back(net::encode(event));
  bytes_ += waiting_.back().size();
  changed_.notify_all();
}

Task<> Outbox::until_room() {
  while (bytes_ > outbox_bytes_max) co_await changed_.wait();
}

void Outbox::close() {
  closed_ = true;
  changed_.notify_all();
}

Task<std::string> Outbox::next() {
  while (waiting_.empty() && !closed_)
    if (!co_await changed_.wait_for(outbox_heartbeat_every)) co_return ":\n\n";
  if (waiting_.empty()) co_return std::string();
  std::string next = std::move(waiting_.front());
  waiting_.pop_front();
  bytes_ -= next.size();
  changed_.notify_all();
  co_return next;
}

Task<> Outbox::send_all(net::SseWriter& out) {
  while (true) {
    auto bytes = co_await next();
    if (bytes.empty()) co_return;
    if (auto sent = co_await out.send_encoded(bytes); !sent) co_return;
  }
}

}  // namespace headrace::server
