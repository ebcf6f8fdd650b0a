// Our side of the talk with the hooks of one push.
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <optional>

#include "core/diagnostics.h"
#include "git/hooks.h"
#include "git/names.h"

namespace headrace::git {
namespace {

namespace asio = boost::asio;
using core::Code;
using core::Result;
using core::Task;

constexpr auto as_value = asio::as_tuple(asio::use_awaitable);
constexpr size_t line_bytes_max = 8192;

struct Asked {
  std::string hook;
  std::string quarantine;
  std::vector<RefChange> changes;
};

Result<RefChange> parse_change(std::string_view line) {
  constexpr size_t id = 40;
  if (line.size() > 2 * id + 2 && line[id] == ' ' && line[2 * id + 1] == ' ' && is_commit_id(line.substr(0, id)) &&
      is_commit_id(line.substr(id + 1, id)))
    return RefChange{std::string(line.substr(2 * id + 2)), std::string(line.substr(0, id)),
                     std::string(line.substr(id + 1, id))};
  return core::fail(Code::invalid, "A hook of this push said something that is no change of a ref.");
}

class Talk {
 public:
  Talk(const core::Executor& executor, int descriptor) : socket_(executor, descriptor) {}

  // Nothing when git is gone.
  Task<std::optional<std::string>> line() {
    auto [error, count] =
        co_await asio::async_read_until(socket_, asio::dynamic_buffer(received_, line_bytes_max), '\n', as_value);
    if (error) co_return std::nullopt;
    std::string text = received_.substr(0, count - 1);
    received_.erase(0, count);
    co_return text;
  }

  Task<> say(std::string text) {
    std::string lines;
    for (size_t begin = 0; begin <= text.size();) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      lines += fmt::format("say {}\n", std::string_view(text).substr(begin, end - begin));
      begin = end + 1;
    }
    co_await write(std::move(lines));
  }

  Task<> exit(int code) { co_await write(fmt::format("exit {}\n", code)); }

 private:
  Task<> write(std::string text) {  // a hook that is gone hears nothing
    co_await asio::async_write(socket_, asio::buffer(text), as_value);
  }

  asio::posix::stream_descriptor socket_;
  std::string received_;
};

// One hook's question, from its first line to "end"; nothing when git is gone.
Task<std::optional<Result<Asked>>> question(Talk& talk) {
  Asked asked;
  std::optional<core::Error> wrong;
  for (;;) {
    auto line = co_await talk.line();
    if (!line) co_return std::nullopt;
    if (*line == "end") break;
    if (line->starts_with("hook ")) {
      asked.hook = line->substr(5);
    } else if (line->starts_with("quarantine ")) {
      asked.quarantine = line->substr(11);
    } else if (auto change = parse_change(*line)) {
      asked.changes.push_back(std::move(*change));
    } else {
      wrong = change.error();
    }
  }
  if (wrong) co_return std::unexpected(std::move(*wrong));
  co_return Result<Asked>(std::move(asked));
}

bool all_known(const std::vector<RefChange>& changes, const std::vector<RefChange>& known) {
  // Both may hold 50,000.
  std::vector<const RefChange*> sorted;
  for (const auto& change : known) sorted.push_back(&change);
  std::ranges::sort(sorted, {}, [](const RefChange* change) -> const std::string& { return change->ref; });
  return std::ranges::all_of(changes, [&](const RefChange& change) {
    const auto found = std::ranges::lower_bound(sorted, change.ref, {},
                                                [](const RefChange* one) -> const std::string& { return one->ref; });
    return found != sorted.end() && (*found)->ref == change.ref && (*found)->new_commit == change.new_commit;
  });
}

Task<> told(Talk& talk, std::string text) { co_await talk.say(std::move(text)); }

Task<int> answer(Talk& talk, Asked asked, std::vector<std::string> options, Gatekeeper& gatekeeper) {
  const Say say = [&talk](std::string text) { return told(talk, std::move(text)); };
  if (asked.hook == "post-receive") {
    Gatekeeper::Received received{std::move(asked.changes), false};
    co_await gatekeeper.received(std::move(received), say);
    co_return 0;
  }
  Gatekeeper::Push push{std::move(asked.changes), std::move(options), std::move(asked.quarantine)};
  auto accepted = co_await gatekeeper.accept(std::move(push), say);
  if (accepted) co_return 0;
  co_await talk.say(accepted.error().message);
  co_return 1;
}

}  // namespace

Result<HookPair> make_hook_pair() {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return std::unexpected(core::error_of_errno(errno, "making a socket for hooks"));
  return HookPair{ends[0], ends[1]};
}

Task<> serve_hooks(core::Executor executor, int ours, std::vector<RefChange> known, std::vector<std::string> options,
                   Gatekeeper& gatekeeper) {
  Talk talk(executor, ours);
  for (;;) {
    auto asked = co_await question(talk);
    if (!asked) co_return;
    if (!*asked || !all_known((*asked)->changes, known)) {
      core::diagnose(core::Level::error, "git", "a hook spoke of refs that its push did not name: refused");
      co_await talk.say("The hooks of this push do not agree with what was pushed; nothing was changed.");
      co_await talk.exit(1);
      continue;
    }
    const int code = co_await answer(talk, std::move(**asked), options, gatekeeper);
    co_await talk.exit(code);
  }
}

}  // namespace headrace::git
