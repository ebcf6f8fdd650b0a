// ToolkitClient asks the server's toolkit services (artifacts and caches) on behalf of one job, with its runtime token:
// what
// @actions/artifact and @actions/cache do within a job, done here for natively served actions. A server that is away,
// as when it is restarted, is asked again for a while.
//
// Errors: as the service answered (not_found, conflict, denied, exhausted: a bound, invalid), unavailable. Loop only.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/task.h"
#include "net/client.h"
#include "services/runner/step_engine.h"

namespace headrace::runner {

inline constexpr size_t upload_block_bytes = size_t{8} << 20;        // as @actions/artifact cuts it
inline constexpr int toolkit_attempts_max = 8;                       // of one request
inline constexpr std::chrono::milliseconds toolkit_wait_first{500};  // before the next; doubled up to
inline constexpr std::chrono::milliseconds toolkit_wait_most{15'000};

class ToolkitClient {
 public:
  // unavailable: this job was lent no such services. The engine outlives it.
  static core::Result<std::unique_ptr<ToolkitClient>> open(StepEngine& engine);

  // The run and the job as the services know them, put into every call of artifacts.
  const std::string& run() const { return run_; }
  const std::string& job() const { return job_; }

  core::Task<core::Result<core::json::value>> artifacts(std::string method, core::json::object asked);
  core::Task<core::Result<core::json::value>> caches(std::string method, core::json::object asked);
  // GitHub's API of the server, with another token: GET, the answer as JSON.
  core::Task<core::Result<core::json::value>> api(std::string path, std::string token);
  // Where an API's download leads (302).
  core::Task<core::Result<std::string>> location(std::string path, std::string token);

  // One request to a signed address.
  core::Task<core::Result<>> put(std::string url, std::string body);
  core::Task<core::Result<std::unique_ptr<net::Call>>> get(std::string url);  // its answer has been read: 200

  StepEngine& engine() { return engine_; }

 private:
  explicit ToolkitClient(StepEngine& engine);
  core::Task<core::Result<core::json::value>> call(std::string service, std::string method, core::json::object asked);
  core::Task<core::Result<net::Response>> send(net::ClientRequest request);
  std::string onward(const std::string& url) const;  // by our own way

  StepEngine& engine_;
  net::Client client_;
  std::string run_, job_;
};

// A blob that is uploaded in blocks, each of them tried again where that helps. At most a block of it is in memory.
class BlockUpload {
 public:
  BlockUpload(ToolkitClient& client, std::string url) : client_(client), url_(std::move(url)) {}
  core::Task<core::Result<>> add(std::string_view bytes);
  core::Task<core::Result<>> finish();  // what is left, and the list
  uint64_t size() const { return size_; }

 private:
  core::Task<core::Result<>> put_block();
  ToolkitClient& client_;
  std::string url_, block_;
  std::vector<std::string> ids_;
  uint64_t size_ = 0;
};

}  // namespace headrace::runner
