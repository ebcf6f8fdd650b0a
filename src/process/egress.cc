#include "process/egress.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>

#include "process/init_image.h"

namespace headrace::process {

using core::Code;
using core::Result;
using core::Task;

namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds start_limit{10'000};
constexpr size_t words_bytes_max = 4'096;
// Descriptors of the child.
constexpr int exit_file = 3, network_file = 4, users_file = 5;

std::vector<std::string> command(const std::string& program, bool own_users) {
  auto file = [](int number) { return "/proc/self/fd/" + std::to_string(number); };
  std::vector<std::string> words{program,
                                 "--configure",
                                 "--mtu=65520",
                                 "--disable-host-loopback",
                                 "--enable-seccomp",
                                 "--ready-fd=1",
                                 "--exit-fd=" + std::to_string(exit_file),
                                 "--netns-type=path"};
  if (own_users)
    words.push_back("--userns-path=" + file(users_file));
  else
    words.push_back("--enable-sandbox");
  words.insert(words.end(), {file(network_file), "tap0"});
  return words;
}

// It writes "1" when the interface is up, and nothing where it fails.
Task<bool> says_ready(Child& child) {
  std::array<std::byte, 8> word;
  auto count = co_await child.read(Stream::out, word);
  co_return count && *count > 0;
}

// It goes on to write there while it runs: a file in memory neither blocks it nor breaks.
std::string last_words(int file) {
  std::string text(words_bytes_max, '\0');
  ssize_t count = ::pread(file, text.data(), text.size(), 0);
  text.resize(count > 0 ? static_cast<size_t>(count) : 0);
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace

Task<Result<std::unique_ptr<Egress>>> Egress::start(core::Executor loop, std::string program, Descriptor network) {
  using namespace asio::experimental::awaitable_operators;
  if (!network) co_return core::fail(Code::unavailable, "The network name space of the sandbox is not known.");
  // As root the name space is entered as it is; another user enters the user name space that owns it first.
  bool own_users = ::geteuid() != 0;
  Descriptor users(own_users ? ::ioctl(network.get(), NS_GET_USERNS) : ::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!users) co_return std::unexpected(core::error_of_errno(errno, "looking for the owner of a network"));
  int lifeline[2] = {-1, -1};
  if (::pipe2(lifeline, O_CLOEXEC) != 0)
    co_return std::unexpected(core::error_of_errno(errno, "making a pipe for slirp4netns"));
  Descriptor theirs(lifeline[0]);
  Descriptor ours(lifeline[1]);
  auto said = memory_file("slirp4netns", std::string_view());
  if (!said) co_return std::unexpected(said.error());
  Spec spec;
  spec.argv = command(program, own_users);
  spec.environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
  spec.extra = {theirs.get(), network.get(), users.get()};
  spec.directory = "/";
  spec.out = Redirect::pipe();
  spec.err = Redirect::of(said->get());
  auto child = spawn(loop, std::move(spec));
  if (!child) co_return std::unexpected(child.error());
  asio::steady_timer patience(loop, start_limit);
  auto first = co_await (says_ready(**child) || patience.async_wait(asio::as_tuple(asio::use_awaitable)));
  if (first.index() == 0 && std::get<0>(first)) {
    (*child)->close(Stream::out);
    co_return std::make_unique<Egress>(std::move(*child), std::move(ours));
  }
  auto ended = co_await (*child)->end(std::chrono::milliseconds(0));
  auto words = last_words(said->get());
  co_return core::fail(
      Code::unavailable,
      "slirp4netns could not give the job a way out: " + (words.empty() ? std::string("it said nothing") : words) + ".",
      ended ? to_string(*ended) : std::string());
}

Task<> Egress::end() {
  lifeline_.reset();
  auto ended = co_await child_->end(std::chrono::milliseconds(0));
  static_cast<void>(ended);  // it has, or the kernel keeps it from us
}

}  // namespace headrace::process
