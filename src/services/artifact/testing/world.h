// The service on a loop with a log in memory, its face on a loopback port, and a client that asks it as the toolkit
// does.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "bus/testing/memory_log.h"
#include "core/bytes.h"
#include "core/json.h"
#include "core/random.h"
#include "core/testing/simulated_clock.h"
#include "events/vocabulary.h"
#include "net/client.h"
#include "net/server.h"
#include "services/artifact/artifact.h"
#include "store/testing/folder.h"

namespace headrace::artifact::testing {

inline constexpr std::chrono::seconds patience{20};

class World {
 public:
  explicit World(Bounds by = Bounds()) : bounds(by) { open(); }
  ~World() { close(); }

  void open() {
    store = std::make_unique<store::Store>(loop, log, folder.file("projections"));
    bus = std::move(*bus::Bus::open({loop, clock, random, ids, log, nullptr, folder.file("bus.db")}, {}));
    artifacts = std::make_unique<Artifacts>(Parts{.loop = loop,
                                                  .clock = clock,
                                                  .ids = ids,
                                                  .disk = disk,
                                                  .files = files,
                                                  .log = log,
                                                  .store = *store,
                                                  .bus = *bus,
                                                  .folder = folder.file("artifacts"),
                                                  .key = std::string(32, 'k'),
                                                  .alive = [this](uint64_t lease) { return leases.contains(lease); },
                                                  .free_bytes = [this] { return free_bytes; }},
                                            bounds);
    core::require(store->start().has_value(), "the store starts");
    core::require(loop.run(store->all_caught_up(patience)).has_value(), "the store catches up");
    core::require(loop.run(artifacts->start()).has_value(), "the service starts");
    bus->start();
    server = std::make_unique<net::Server>(loop.executor(), clock,
                                           [this](net::Exchange& exchange) { return answer(*artifacts, exchange); });
    address = *server->listen("127.0.0.1:0");
    client = std::make_unique<net::Client>(loop.executor(), clock);
  }
  void close() {
    client.reset();
    loop.run(server->shutdown(std::chrono::milliseconds(0)));
    loop.run(artifacts->stop());
    loop.run(bus->close());
    server.reset();
    artifacts.reset();
    bus.reset();
    store.reset();
  }
  void restart() {
    close();
    open();
  }

  // ---- a job
  Holder holder(uint64_t lease = 1, const std::string& run = "run-1") {
    leases.insert(lease);
    return {.lease = lease,
            .repository = "team/hello",
            .run = run,
            .run_id = 7,
            .job = "job-" + std::to_string(lease),
            .ref = "refs/heads/main",
            .commit = "1111111111111111111111111111111111111111"};
  }

  net::Response ask(const std::string& method, const std::string& target, std::string body = {},
                    net::Headers headers = {}) {
    net::ClientRequest request;
    request.url = target.starts_with("http") ? target : "http://" + address + target;
    request.method = method;
    request.body = std::move(body);
    request.headers = std::move(headers);
    auto answer = loop.run(client->send(std::move(request)));
    EXPECT_TRUE(answer) << (answer ? "" : answer.error().message);
    return answer.value_or(net::Response{});
  }
  // A call of the toolkit; its run and job are the holder's, unless it names others.
  net::Response call(const Holder& by, const std::string& service, const std::string& method,
                     core::json::object asked = {}) {
    if (!asked.contains("workflow_run_backend_id")) asked["workflow_run_backend_id"] = by.run;
    if (!asked.contains("workflow_job_run_backend_id")) asked["workflow_job_run_backend_id"] = by.job;
    net::Headers headers{{"Authorization", "Bearer " + artifacts->keys().mint(by, clock.now())},
                         {"Content-Type", "application/json"}};
    return ask("POST", "/twirp/github.actions.results.api.v1." + service + "/" + method, core::to_text(asked),
               std::move(headers));
  }
  static std::string text(const net::Response& response, std::string_view name) {
    auto body = core::parse_json(response.body);
    return body ? core::string_at(*body, name).value_or("") : "";
  }

  // ---- short ways
  std::string create(const Holder& by, const std::string& name) {
    return text(call(by, "ArtifactService", "CreateArtifact", {{"name", name}, {"version", 4}}), "signed_upload_url");
  }
  net::Response finalize(const Holder& by, const std::string& name, const std::string& content) {
    return call(
        by, "ArtifactService", "FinalizeArtifact",
        {{"name", name}, {"size", std::to_string(content.size())}, {"hash", "sha256:" + core::sha256_hex(content)}});
  }
  // Its number; "" where it failed.
  std::string upload(const Holder& by, const std::string& name, const std::string& content) {
    std::string url = create(by, name);
    if (url.empty() || ask("PUT", url, content).status != net::Status::created) return {};
    return text(finalize(by, name, content), "artifact_id");
  }
  std::string download(const Holder& by, const std::string& name) {
    std::string url = text(call(by, "ArtifactService", "GetSignedArtifactURL", {{"name", name}}), "signed_url");
    return url.empty() ? "" : ask("GET", url).body;
  }
  net::Response save_cache(const Holder& by, const std::string& key, const std::string& content,
                           const std::string& version = "v1") {
    auto created = call(by, "CacheService", "CreateCacheEntry", {{"key", key}, {"version", version}});
    std::string url = text(created, "signed_upload_url");
    if (url.empty()) return created;
    auto put = ask("PUT", url, content);
    if (put.status != net::Status::created) return put;
    return call(by, "CacheService", "FinalizeCacheEntryUpload",
                {{"key", key}, {"version", version}, {"size_bytes", std::to_string(content.size())}});
  }
  net::Response find_cache(const Holder& by, const std::string& key, core::json::array more = {},
                           const std::string& version = "v1") {
    return call(by, "CacheService", "GetCacheEntryDownloadURL",
                {{"key", key}, {"restore_keys", std::move(more)}, {"version", version}});
  }

  template <class T>
  std::vector<T> said() {
    std::vector<T> all;
    const auto events = *log.read(1, 100'000);
    for (const auto& stored : events)
      if (events::is<T>(stored.event)) all.push_back(*events::decode<T>(stored.event));
    return all;
  }
  size_t blobs() {
    size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.file("artifacts/blobs")))
      count += entry.is_regular_file() ? 1U : 0U;
    return count;
  }
  size_t upload_files() {
    return static_cast<size_t>(
        std::distance(std::filesystem::directory_iterator(folder.file("artifacts/uploads")), {}));
  }
  core::Result<> tick() { return loop.run(artifacts->tick()); }

  static core::Task<> answer(Artifacts& artifacts, net::Exchange& exchange) {
    auto answered = co_await artifacts.face().answer(exchange);
  }

  Bounds bounds;
  uint64_t free_bytes = uint64_t{1} << 40;
  std::set<uint64_t> leases;
  core::Loop loop;
  core::testing::SimulatedClock clock{loop};
  core::SeededRandom random{7};
  core::IdSource ids{clock, random};
  core::SystemDisk disk;
  core::Pool files{"files", {.threads = 2}};
  bus::testing::MemoryLog log{clock};
  store::testing::Folder folder;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<bus::Bus> bus;
  std::unique_ptr<Artifacts> artifacts;
  std::unique_ptr<net::Server> server;
  std::unique_ptr<net::Client> client;
  std::string address;
};

}  // namespace headrace::artifact::testing
