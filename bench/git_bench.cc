// rooms: repository git net bus store log sqlite events process core
// Git over HTTP as a user meets it, with policy checks, a durable log and the projection on: ls-remote, push, clone,
// and what the server's memory does while 1 GB is pushed. The clients are git's own, on the same two cores.
#include <stdlib.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "core/random.h"
#include "git_backend.h"
#include "log/segment_log.h"
#include "net/server.h"
#include "report.h"
#include "services/repository/repository.h"

namespace {

using namespace headrace;
using core::Result;
using core::Task;

constexpr int rounds = 15;
constexpr int fetches_at_once = 20;
constexpr size_t clone_bytes = size_t{176} << 20;
constexpr size_t clone_files = 1'408;
constexpr size_t push_bytes = size_t{1} << 30;

Task<Result<size_t>> read_part(net::Exchange& exchange, std::span<std::byte> bytes) {
  co_return co_await exchange.read(bytes);
}

Task<Result<>> write_part(net::Exchange& exchange, std::string type, std::span<const std::byte> bytes) {
  if (!exchange.started()) {
    net::Headers headers;
    headers.add("Content-Type", type);
    if (auto started = co_await exchange.start(net::Status::ok, headers); !started) co_return started;
  }
  const std::string_view part(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  co_return co_await exchange.write(part);
}

// The parts of a server that a push meets, on a loop in a thread of its own.
class Serving {
 public:
  explicit Serving(const std::string& folder)
      : log_(log::SegmentLog::open(disk_, clock_, random_, folder + "/log").value()),
        store_(loop_, *log_, folder + "/projections"),
        bus_(bus::Bus::open({loop_, clock_, random_, ids_, *log_, nullptr, ""}).value()),
        git_(loop_.executor(), with_hooks(folder)),
        repositories_({loop_, clock_, ids_, pool_, *log_, store_, *bus_, git_, folder + "/repositories"}, any_size()),
        http_(loop_.executor(), clock_, [this](net::Exchange& exchange) { return handle(exchange); }) {
    core::require(store_.start().has_value(), "the store starts");
    core::require(loop_.run(git_.prepare()).has_value(), "git is there");
    core::require(loop_.run(repositories_.start()).has_value(), "the service starts");
    core::require(loop_.run(repositories_.create(core::Actor::user("bench"), "team/bench")).has_value(),
                  "a repository is made");
    core::require(loop_.run(repositories_.create(core::Actor::user("bench"), "team/large")).has_value(),
                  "a repository is made");
    address_ = http_.listen("127.0.0.1:0").value();
    loop_.keep_running();
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~Serving() {
    loop_.stop();
    thread_.join();
    loop_.run(http_.shutdown(std::chrono::seconds(1)));
    loop_.run(repositories_.close());
    loop_.run(bus_->close());
    store_.stop();
  }
  std::string url(const std::string& name) const { return "http://" + address_ + "/team/" + name + ".git"; }

 private:
  static repository::Policy any_size() {
    repository::Policy policy;
    policy.file_bytes_max = uint64_t{4} << 30;
    return policy;
  }
  static git::ServeOptions with_hooks(const std::string& folder) {
    git::ServeOptions options;
    options.hooks = folder + "/hooks";
    return options;
  }

  Task<> handle(net::Exchange& exchange) {
    auto answered = co_await answer(exchange);
    if (!answered && !exchange.started()) {
      auto sent = co_await exchange.respond(net::make_response(net::Status::internal_error, answered.error().message));
      static_cast<void>(sent);
    }
  }

  Task<Result<>> answer(net::Exchange& exchange) {
    const auto& request = exchange.request();
    const std::string path = request.path;
    const size_t end = path.find(".git/");
    if (end == std::string::npos) co_return core::fail(core::Code::not_found, "There is no such page.");
    const auto name = path.substr(1, end - 1);
    const auto action = path.substr(end + 5);
    const auto* wanted = request.parameter("service");
    const auto service = git::parse_service(wanted != nullptr ? *wanted : action);
    if (!service) co_return std::unexpected(service.error());
    const std::string protocol(request.headers.get("Git-Protocol"));
    const bool gzip = request.headers.get("Content-Encoding") == "gzip";
    const git::ReadBody read = [&exchange](std::span<std::byte> bytes) { return read_part(exchange, bytes); };
    const git::WriteChunk write = [&exchange, type = git::content_type(*service, wanted != nullptr)](
                                      std::span<const std::byte> bytes) { return write_part(exchange, type, bytes); };
    Result<> done;
    if (wanted != nullptr) {
      done = co_await repositories_.advertise(name, *service, protocol, write);
    } else if (*service == git::Service::upload_pack) {
      done = co_await repositories_.fetch(name, protocol, gzip, read, write);
    } else {
      done = co_await repositories_.push(core::Actor::user("bench"), name, protocol, gzip, read, write);
    }
    if (!done) co_return done;
    if (!exchange.started()) co_return co_await exchange.respond(net::make_response(net::Status::ok, ""));
    co_return co_await exchange.finish();
  }

  core::SystemDisk disk_;
  core::SystemClock clock_;
  core::SystemRandom random_;
  core::IdSource ids_{clock_, random_};
  core::Loop loop_;
  core::Pool pool_{"git", {.threads = 2}};
  std::unique_ptr<log::SegmentLog> log_;
  store::Store store_;
  std::unique_ptr<bus::Bus> bus_;
  git::Server git_;
  repository::Repositories repositories_;
  net::Server http_;
  std::string address_;
  std::thread thread_;
};

void run(const std::string& command, const std::string& output = " >/dev/null 2>&1") {
  const auto whole =
      "GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=B GIT_AUTHOR_EMAIL=b@b GIT_COMMITTER_NAME=B "
      "GIT_COMMITTER_EMAIL=b@b " +
      command + output;
  if (std::system(whole.c_str()) != 0) std::fprintf(stderr, "failed: %s\n", command.c_str());
}

double milliseconds(const std::string& command) {
  return bench::seconds([&] { run(command); }) * 1000;
}

void fill(const std::string& file, size_t bytes, size_t seed) {
  core::SeededRandom random(seed);
  std::string block(std::min(bytes, size_t{1} << 20), '\0');
  std::ofstream out(file, std::ios::binary);
  for (size_t written = 0; written < bytes; written += block.size()) {
    random.fill(std::as_writable_bytes(std::span(block)));
    out << block;
  }
}

double peak_resident_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
  return 0;
}

void measure_ls_remote(const Serving& serving, const bench::GitBackend& backend, const std::string& folder) {
  const auto sides = bench::alternate(
      rounds, [&] { return milliseconds("git ls-remote " + serving.url("bench")); },
      [&] { return milliseconds("git ls-remote " + backend.url("bench")); });
  bench::print({.figure = "git ls-remote over HTTP",
                .unit = "ms",
                .ours = sides.ours,
                .reference = sides.reference,
                .against = bench::GitBackend::named,
                .better = bench::Better::lower,
                .target = bench::at_most(16),
                .note = "the git client alone, on file://: " +
                        std::to_string(static_cast<int>(milliseconds("git ls-remote file://" + folder + "/work"))) +
                        " ms"});
}

void measure_push(const std::string& folder) {
  int round = 0;
  const auto push = [&](const std::string& to) {
    run("sh -c 'cd " + folder + "/work && echo " + std::to_string(round++) + " >> a.txt && git commit -qam x'");
    return milliseconds("git -C " + folder + "/work push -q " + to + " HEAD:main");
  };
  const auto sides = bench::alternate(rounds, [&] { return push("origin"); }, [&] { return push("theirs"); });
  bench::print({.figure = "git push, policy checked and the event durable",
                .unit = "ms",
                .ours = sides.ours,
                .reference = sides.reference,
                .against = bench::GitBackend::named,
                .better = bench::Better::lower,
                .target = bench::at_most(45),
                .note = "git client alone about 34 ms (recorded)"});
}

void measure_clone(const Serving& serving, const bench::GitBackend& backend, const std::string& folder) {
  int round = 0;
  const auto clone = [&](const std::string& from) {
    const auto to = folder + "/clone" + std::to_string(round++);
    const double took = milliseconds("git clone -q --bare " + from + " " + to);
    std::filesystem::remove_all(to);
    return took;
  };
  const auto sides =
      bench::alternate(3, [&] { return clone(serving.url("large")); }, [&] { return clone(backend.url("large")); });
  bench::print({.figure = "clone of 176 MB in 1,408 files",
                .unit = "ms",
                .ours = sides.ours,
                .reference = sides.reference,
                .against = bench::GitBackend::named,
                .better = bench::Better::lower,
                .target = bench::ratio(0.95),
                .note = "mostly the client"});
}

// Twenty clients that want everything at once and throw it away: what the server can give, without what it costs a
// client to take it in.
double megabytes_a_second(const std::string& url, const std::string& folder) {
  const std::string each =
      "curl -sf -o /dev/null -w '%{size_download}\\n' -H 'Git-Protocol: version=2' -H 'Content-Type: "
      "application/x-git-upload-pack-request' --data-binary @" +
      folder + "/wants " + url + "/git-upload-pack >>" + folder + "/sizes &";
  std::filesystem::remove(folder + "/sizes");
  std::string all;
  for (int client = 0; client < fetches_at_once; ++client) all += each + " ";
  const double seconds = bench::seconds([&] { static_cast<void>(std::system(("(" + all + " wait)").c_str())); });
  std::ifstream sizes(folder + "/sizes");
  double total = 0;
  int answered = 0;
  for (double size = 0; sizes >> size; ++answered) total += size;
  if (answered != fetches_at_once) std::fprintf(stderr, "only %d fetches of %s were answered\n", answered, url.c_str());
  return total / 1e6 / seconds;
}

void measure_fetches(const Serving& serving, const bench::GitBackend& backend, const std::string& folder) {
  run("sh -c 'cd " + folder +
          "/source && p() { printf \"%04x%s\" $((${#1} + 4)) \"$1\"; } && { p command=fetch; printf 0001; "
          "p ofs-delta; p \"want $(git rev-parse HEAD)\"; p done; printf 0000; } >" +
          folder + "/wants'",
      "");
  const auto sides = bench::alternate(
      3, [&] { return megabytes_a_second(serving.url("large"), folder); },
      [&] { return megabytes_a_second(backend.url("large"), folder); });
  bench::print({.figure = "20 full fetches at once, server side",
                .unit = "MB/s",
                .ours = sides.ours,
                .reference = sides.reference,
                .against = bench::GitBackend::named,
                .better = bench::Better::higher,
                .target = bench::at_least(450),
                .note = "clients are curl, on the same processors"});
}

void measure_memory(const Serving& serving, const std::string& folder) {
  fill(folder + "/source/huge.bin", push_bytes, clone_files);
  run("sh -c 'cd " + folder +
      "/source && git -c core.compression=0 add -A && git -c core.compression=0 commit -qm huge'");
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak begins anew
  const double before = peak_resident_mib();
  const double seconds = bench::seconds([&] {
    run("git -C " + folder + "/source -c pack.compression=0 -c core.bigFileThreshold=1m push -q " +
        serving.url("large") + " HEAD:refs/heads/huge");
  });
  bench::print({.figure = "memory growth while 1 GB is pushed",
                .unit = "MiB",
                .ours = peak_resident_mib() - before,
                .reference = {},
                .against = {},
                .better = bench::Better::lower,
                .target = bench::at_most(32),
                .note = "pushed in " + std::to_string(seconds) + " s"});
}

}  // namespace

int main() {
  bench::print_version("git", bench::first_line_of("git --version"));
  std::string folder = (std::filesystem::temp_directory_path() / "headrace-git-bench-XXXXXX").string();
  core::require(::mkdtemp(folder.data()) != nullptr, "a folder for the benchmark can be made");
  {
    Serving serving(folder + "/data");
    run("git clone -q " + serving.url("bench") + " " + folder + "/work");
    run("sh -c 'cd " + folder +
        "/work && git checkout -q -B main && echo 0 > a.txt && git add a.txt && git commit -qm x && git push -q origin "
        "main'");
    run("git init -q " + folder + "/source");
    for (size_t file = 0; file < clone_files; ++file)
      fill(folder + "/source/data" + std::to_string(file), clone_bytes / clone_files, file);
    run("sh -c 'cd " + folder + "/source && git add -A && git commit -qm data && git push -q " + serving.url("large") +
        " HEAD:main'");
    if (!bench::GitBackend::is_installed()) {
      bench::print_skip("git beside git http-backend", "nginx and fcgiwrap are not installed");
    } else {
      const bench::GitBackend backend(folder + "/backend");
      for (const std::string name : {"bench", "large"}) {
        const std::string bare = folder + "/backend/git/" + name + ".git";
        run("sh -c 'git init -q --bare " + bare + " && git -C " + bare + " config http.receivepack true'");
      }
      run("git -C " + folder + "/work remote add theirs " + backend.url("bench"));
      run("git -C " + folder + "/work push -q theirs HEAD:main");
      run("git -C " + folder + "/source push -q " + backend.url("large") + " HEAD:main");
      measure_ls_remote(serving, backend, folder);
      measure_push(folder);
      measure_clone(serving, backend, folder);
      measure_fetches(serving, backend, folder);
    }
    measure_memory(serving, folder);
  }
  std::filesystem::remove_all(folder);
  return 0;
}
