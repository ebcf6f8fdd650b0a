// Server speaks git's smart HTTP (gitprotocol-http(5), protocol versions 0 to 2) for bare repositories, whoever carries
// the HTTP: a request is a body reader, an answer a writer. Packs are streamed through git's own programs in bounded
// chunks, both directions at once, so memory does not grow with what is cloned or pushed.
//
//   GET  /owner/name.git/info/refs?service=git-upload-pack    advertise
//   POST /owner/name.git/git-upload-pack                      upload_pack
//   POST /owner/name.git/git-receive-pack                     receive_pack
//
// The first write begins a 200 answer of type content_type(), success without a write is an empty one; an Error before
// any write is the caller's to answer. After the first write an Error means that the answer is broken off. Never retry:
// the body is consumed.
//
// A push (receive_pack) is judged by a Gatekeeper while git holds its objects in quarantine: accept() before any ref
// moves, received() after, with the refs that did. What they say appears at once at the client as "remote: ...". If the
// client goes away after its pack came, the push is carried out all the same; if this process dies, git ends its work
// while it holds the folder's lock: before accept() answered nothing is moved, after it the refs may.
//
// Errors: not_found (no such repository), invalid (not git's protocol; a ref name that is none), exhausted (too many
// git processes for too long; a body beyond its bound), unavailable (git failed; the client has gone). Loop only.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/task.h"

namespace headrace::git {

enum class Service { upload_pack, receive_pack };
core::Result<Service> parse_service(std::string_view text);  // "git-upload-pack", "git-receive-pack"
std::string_view name_of(Service service);

// "application/x-git-upload-pack-advertisement" for advertise, "...-result" for the others. Send Cache-Control:
// no-cache.
std::string content_type(Service service, bool advertisement);
std::string request_content_type(Service service);  // what a POST must carry, else 415

// The next part of the request's body; 0 at its end.
using ReadBody = std::function<core::Task<core::Result<size_t>>(std::span<std::byte>)>;
using WriteChunk = std::function<core::Task<core::Result<>>(std::span<const std::byte>)>;

struct Request {
  std::string path;      // folder of the repository
  std::string protocol;  // header Git-Protocol; anything ill-formed is taken for version 0
  bool gzip = false;     // header Content-Encoding: gzip
};

struct RefChange {
  std::string ref;
  std::string old_commit;  // 40 zeros: made
  std::string new_commit;  // 40 zeros: deleted
  bool operator==(const RefChange&) const = default;
};

// Writes a line to the person who pushes; nothing happens once they have gone.
using Say = std::function<core::Task<>(std::string line)>;

class Gatekeeper {
 public:
  struct Push {
    std::vector<RefChange> changes;    // that git would carry out; names are well-formed, none hidden
    std::vector<std::string> options;  // push options
    std::string quarantine;            // objects folder of the push, to be read as an alternate; empty: no objects came
  };
  virtual ~Gatekeeper() = default;
  // Before any ref moves. An Error refuses the whole push, its message is told to the person.
  virtual core::Task<core::Result<>> accept(Push push, Say say) = 0;
  struct Received {
    std::vector<RefChange> changes;  // that were carried out
    bool durable = false;            // already; else sync_push() makes them so
  };
  // After the refs have moved. Not called where none did.
  virtual core::Task<> received(Received received, Say say) = 0;
};

struct ServeOptions {
  std::string git = "git";    // program
  std::string hooks;          // DATA/hooks: two small scripts are written there by prepare()
  size_t processes_max = 16;  // at once
  size_t waiting_max = 256;   // requests that wait for one of these; beyond: exhausted
  std::chrono::milliseconds wait_max{30'000};
  std::chrono::milliseconds idle_max{120'000};            // without a byte in either direction; then git is ended
  uint64_t pack_bytes_max = uint64_t{4} << 30;            // of one push
  uint64_t fetch_request_bytes_max = uint64_t{64} << 20;  // wants and haves, unpacked
  std::chrono::minutes upkeep_max{60};                    // of one run of git that packs a repository
  size_t direct_refs_max = 100;  // of a small push that is carried out without receive-pack; 0: none is
  size_t commands_max = 50'000;  // refs in one push
};

struct ServeCounters {
  uint64_t running = 0, waiting = 0;
  uint64_t fetches = 0, pushes = 0, failed = 0, refused = 0;  // refused: no process was to be had
};

class Server {
 public:
  Server(core::Executor executor, ServeOptions options);
  ~Server();  // no request may be running
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Writes the hooks and asks git what it can do. Once, before the first request. not_found: git is not installed.
  core::Task<core::Result<>> prepare();

  core::Task<core::Result<>> advertise(Service service, Request request, WriteChunk write);
  core::Task<core::Result<>> upload_pack(Request request, ReadBody read, WriteChunk write);
  // `gatekeeper` lives until this returns.
  core::Task<core::Result<>> receive_pack(Request request, Gatekeeper& gatekeeper, ReadBody read, WriteChunk write);

  // Packs what lies about in a repository, as upkeep.h decides, and its refs where no push is under way. Nothing that
  // is there is lost, reached from a ref or not, so pushes and fetches go on meanwhile; it shares the lock of the
  // folder. At the lowest priority, bounded by ServeOptions::upkeep_max. One at a time is for the caller to see to.
  // Whether anything was done.
  core::Task<core::Result<bool>> maintain(std::string path);

  const ServeCounters& counters() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace headrace::git
