#include "services/runner/session.h"

#include "services/runner/labels.h"

namespace headrace::runner {

void Session::post(Message message) {
  if (closed_) return;
  if (const auto* have = std::get_if<LogHave>(&message); have && !outgoing_.empty()) {
    auto* last = std::get_if<LogHave>(&outgoing_.back());
    if (last && last->token == have->token && !last->resend) {
      *last = *have;
      return;
    }
  }
  if (outgoing_.size() >= outgoing_max) return close();
  outgoing_.push_back(std::move(message));
  outgoing_changed_.notify_all();
}

void Session::close() {
  closed_ = true;
  outgoing_changed_.notify_all();
}

core::Task<> Session::send_all(std::shared_ptr<Session> self, net::WebSocket& socket) {
  while (!self->closed_) {
    if (self->outgoing_.empty()) {
      co_await self->outgoing_changed_.wait();
      continue;
    }
    net::Message next{net::Message::Kind::text, encode(self->outgoing_.front())};
    self->outgoing_.pop_front();
    auto sent = co_await socket.send(std::move(next));
    if (!sent) self->close();
  }
  if (socket.open()) auto closed = co_await socket.close(net::CloseCode::try_again, "this connection is given up");
}

std::string Session::executor_for(const std::vector<std::string>& labels) const {
  return executor_of(hello.labels, labels);
}

}  // namespace headrace::runner
