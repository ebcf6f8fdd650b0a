#include <malloc.h>

#include <filesystem>

#include "cli/cli.h"
#include "server/server.h"

namespace {

using namespace headrace;

core::Result<> serve(const cli::Serve& asked) {
  server::Options options;
  options.data = asked.data;
  options.listen = asked.listen;
  options.public_url = asked.public_url;
  options.bootstrap_token_file = asked.bootstrap_token_file;
  options.vault_key_file = asked.vault_key_file;
  options.tls_certificate = asked.tls_certificate;
  options.tls_key = asked.tls_key;
  options.labels = asked.labels;
  options.slots = asked.slots;
  options.sandbox_network = asked.sandbox_network;
  options.actions_upstream = asked.actions_upstream;
  options.container_engine = asked.container_engine;
  options.container_volumes = asked.container_volumes;
  options.local_runner = !asked.no_runner;
  options.demo = asked.demo;
  options.program = std::filesystem::read_symlink("/proc/self/exe").string();
  return server::serve(std::move(options));
}

// While a job prints, messages of some hundred KiB come and go by the thousand. The heap keeps room for a few of them,
// rather than give it back to the kernel and take it again each time. Both, for either one ends glibc's own choice of
// both.
void keep_room_for_messages() {
  constexpr int kept_bytes = 4 * 1024 * 1024;
  constexpr int mapped_bytes = 8 * 1024 * 1024;  // what is larger is mapped, and unmapped when it is freed
  ::mallopt(M_TRIM_THRESHOLD, kept_bytes);
  ::mallopt(M_MMAP_THRESHOLD, mapped_bytes);
}

}  // namespace

int main(int argc, char** argv) {
  keep_room_for_messages();
  return cli::run(argc, argv, serve);
}
