#include "process/egress.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include "process/child.h"
#include "process/egress_protocol.h"
#include "process/init_image.h"
#include "process/packet.h"

namespace headrace::process {

namespace asio = boost::asio;
using core::Code;
using core::Result;
using core::Task;
using egress::Answer;
using egress::Request;

struct EgressServer::Program {
  std::unique_ptr<Child> child;
  Descriptor control;
};

namespace {

constexpr auto as_value = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds start_limit{10'000};
constexpr std::chrono::milliseconds end_limit{5'000};

struct Pair {
  Descriptor ours, theirs;
};

Result<Pair> socket_pair() {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return std::unexpected(core::error_of_errno(errno, "making a socket for the way out of a job"));
  return Pair{Descriptor(ends[0]), Descriptor(ends[1])};
}

// 0, or an errno: EPIPE and ECONNRESET where nobody reads there any more.
int send_request(int control, int tap, int lifeline, std::optional<uid_t> user) {
  Request request;
  if (user) request.user = *user;
  int given[egress::descriptors] = {};
  given[egress::tap] = tap;
  given[egress::lifeline] = lifeline;
  return send_packet(control, &request, sizeof request, given, egress::descriptors, MSG_DONTWAIT) < 0 ? errno : 0;
}

Task<std::optional<Answer>> hear_answer(asio::posix::stream_descriptor& lifeline) {
  Answer answer;
  auto [error, count] = co_await lifeline.async_read_some(asio::buffer(&answer, sizeof answer), as_value);
  if (error || count != sizeof answer) co_return std::nullopt;
  answer.reason[sizeof answer.reason - 1] = '\0';
  co_return answer;
}

core::Error refusal(const Answer& answer) {
  const std::string_view reason(answer.reason);
  if (reason.contains("libslirp.so"))
    return {Code::not_found,
            "libslirp, which is the way out of jobs, is not there. Install it: apt-get install libslirp0.",
            std::string(reason)};
  return {Code::unavailable,
          std::string("The egress program could not give the job a way out: ") + answer.reason + ".",
          {}};
}

}  // namespace

struct Egress::Lifeline {
  asio::posix::stream_descriptor end;
};

EgressServer::EgressServer(core::Executor loop) : loop_(std::move(loop)) {}
EgressServer::~EgressServer() = default;

pid_t EgressServer::pid() const { return program_ ? program_->child->pid() : 0; }

void EgressServer::forget(const std::shared_ptr<Program>& program) {
  if (program_ == program) program_.reset();
}

Result<std::shared_ptr<EgressServer::Program>> EgressServer::ask(int tap, int lifeline, std::optional<uid_t> user) {
  if (program_) {
    int error = send_request(program_->control.get(), tap, lifeline, user);
    if (error == 0) return program_;
    if (error != EPIPE && error != ECONNRESET)
      return std::unexpected(core::error_of_errno(error, "asking for the way out of a job"));
    program_.reset();
  }
  auto image = EgressFile::get();
  if (!image) return std::unexpected(image.error());
  auto pair = socket_pair();
  if (!pair) return std::unexpected(pair.error());
  Spec spec;
  spec.argv = {(*image)->path()};
  spec.extra = {pair->theirs.get()};
  spec.directory = "/";
  auto child = spawn(loop_, std::move(spec));
  if (!child) return std::unexpected(child.error());
  program_ = std::make_shared<Program>(Program{std::move(*child), std::move(pair->ours)});
  int error = send_request(program_->control.get(), tap, lifeline, user);
  if (error != 0) return std::unexpected(core::error_of_errno(error, "asking for the way out of a job"));
  return program_;
}

Task<Result<std::unique_ptr<Egress>>> Egress::start(core::Executor loop, EgressServer& server, Descriptor tap,
                                                    std::optional<uid_t> user) {
  using namespace asio::experimental::awaitable_operators;
  core::require(static_cast<bool>(tap), "a way out has its tap");
  ::fcntl(tap.get(), F_SETFL, ::fcntl(tap.get(), F_GETFL) | O_NONBLOCK);
  // A program that ends just now takes no request, and says so by silence: the second time it is another one.
  for (bool again : {true, false}) {
    auto pair = socket_pair();
    if (!pair) co_return std::unexpected(pair.error());
    auto program = server.ask(tap.get(), pair->theirs.get(), user);
    if (!program) co_return std::unexpected(program.error());
    pair->theirs.reset();
    if (!again) tap.reset();
    auto lifeline = std::make_unique<Lifeline>(asio::posix::stream_descriptor(loop, pair->ours.release()));
    asio::steady_timer patience(loop, start_limit);
    auto first = co_await (hear_answer(lifeline->end) || patience.async_wait(as_value));
    if (first.index() == 1) co_return core::fail(Code::unavailable, "The egress program does not answer.");
    const auto& answer = std::get<0>(first);
    if (answer && answer->pid != 0)
      co_return std::unique_ptr<Egress>(new Egress(std::move(*program), std::move(lifeline), answer->pid));
    server.forget(*program);
    if (answer) co_return std::unexpected(refusal(*answer));
  }
  co_return core::fail(Code::unavailable, "The egress program ends before it gives the job a way out.");
}

Egress::Egress(std::shared_ptr<EgressServer::Program> program, std::unique_ptr<Lifeline> lifeline, pid_t pid)
    : program_(std::move(program)), lifeline_(std::move(lifeline)), pid_(pid) {}
Egress::~Egress() = default;

Task<> Egress::end() {
  using namespace asio::experimental::awaitable_operators;
  if (!lifeline_) co_return;
  ::shutdown(lifeline_->end.native_handle(), SHUT_WR);
  asio::steady_timer patience(lifeline_->end.get_executor(), end_limit);
  auto first = co_await (hear_answer(lifeline_->end) || patience.async_wait(as_value));
  static_cast<void>(first);  // it has gone, or the kernel keeps it from us
  lifeline_.reset();
  program_.reset();
}

}  // namespace headrace::process
