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
  options.program = std::filesystem::read_symlink("/proc/self/exe").string();
  return server::serve(std::move(options));
}

}  // namespace

int main(int argc, char** argv) { return cli::run(argc, argv, serve); }
