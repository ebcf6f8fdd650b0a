// @actions/artifact and @actions/cache, unmodified, from npm, in jobs of a sandbox: they talk to a Headrace as they
// talk to GitHub. Skipped, with the reason, where Node 20 is not there or npm cannot bring the packages.
#include <gtest/gtest.h>

#include <charconv>
#include <filesystem>

#include "support/sandboxes.h"

namespace headrace {

namespace {

using support::Clone;
using support::conclusion_of_newest;
using support::eventually;
using support::in_sandboxes;
using support::makes_sandboxes;
using support::milliseconds;
using support::Platform;
using support::read_file;

constexpr milliseconds install_max{240'000}, run_max{420'000};
const std::string here = HEADRACE_TOOLKIT_FOLDER;

support::Ran shell(Platform& platform, const std::string& script, milliseconds limit) {
  support::Command command;
  command.argv = {"/bin/sh", "-c", script};
  for (const char* name : {"PATH", "HOME", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
                           "NODE_EXTRA_CA_CERTS", "npm_config_registry", "NPM_CONFIG_USERCONFIG"})
    if (const char* value = std::getenv(name)) command.environment.push_back(std::string(name) + "=" + value);
  return support::run(std::move(command), platform.folder(), limit);
}

// Why the packages cannot be had; empty: they are packed in FOLDER/modules.tgz, without what does not run.
std::string bring_packages(Platform& platform) {
  auto version = shell(platform, "node --version", milliseconds(20'000));
  int major = 0;
  if (version.out.starts_with('v'))
    std::from_chars(version.out.data() + 1, version.out.data() + version.out.size(), major);
  if (major < 20) return "Node 20 is wanted and not here (" + version.out + version.err + ")";
  std::string folder = platform.folder() + "/npm";
  auto installed = shell(platform,
                         "mkdir -p " + folder + " && cp " + here + "/package.json " + here + "/package-lock.json " +
                             folder + " && cd " + folder + " && npm ci --ignore-scripts --no-audit --no-fund",
                         install_max);
  if (installed.exit != 0) return "npm could not bring the packages: " + installed.err.substr(0, 500);
  auto packed =
      shell(platform,
            "cd " + folder +
                " && tar --exclude='*.map' --exclude='*.ts' --exclude='*.md' --exclude=node_modules/typescript "
                "--exclude=node_modules/@protobuf-ts/plugin -czf modules.tgz node_modules",
            install_max);
  return packed.exit == 0 ? "" : "the packages could not be packed: " + packed.err;
}

// What the jobs run. Where each byte is watched by a sanitizer, the large file is a tenth of its size.
std::string program() {
  auto text = read_file(here + "/action/main.mjs");
#ifdef HEADRACE_SANITIZED
  const std::string large = "100 * 1024 * 1024";
  text.replace(text.find(large), large.size(), "10 * 1024 * 1024");
#endif
  return text;
}

std::string job(const std::string& name, const std::string& needs, const std::string& parts) {
  std::string text = "  " + name + ":\n    runs-on: ubuntu-latest\n";
  if (!needs.empty()) text += "    needs: " + needs + "\n";
  text += "    steps:\n      - uses: actions/checkout@v4\n      - run: tar -xzf modules.tgz\n";
  for (size_t at = 0; at < parts.size();) {
    auto end = std::min(parts.find(' ', at), parts.size());
    text += "      - uses: ./.github/actions/toolkit\n        with: {part: " + parts.substr(at, end - at) + "}\n";
    at = end + 1;
  }
  return text;
}

}  // namespace

TEST(Toolkit, OfGithubWorksUnmodifiedInJobs) {
  Platform platform(in_sandboxes());
  if (auto why = bring_packages(platform); !why.empty()) GTEST_SKIP() << why;
  ASSERT_TRUE(platform.start()) << platform.said();
  if (!makes_sandboxes(platform)) GTEST_SKIP() << "this machine makes no sandboxes: " << platform.said();
  ASSERT_EQ(platform.cli({"repo", "create", "team/toolkit"}).exit, 0);
  Clone clone(platform, "team/toolkit", "toolkit");
  std::filesystem::copy_file(platform.folder() + "/npm/modules.tgz", clone.path() + "/modules.tgz");
  clone.write(".github/actions/toolkit/action.yml", read_file(here + "/action/action.yml"));
  clone.write(".github/actions/toolkit/main.mjs", program());
  clone.write(".github/workflows/toolkit.yml", "name: toolkit\non: push\njobs:\n" + job("one", "", "upload save") +
                                                   job("two", "one", "download restore"));
  clone.commit("the toolkit");
  ASSERT_EQ(clone.push().exit, 0);
  EXPECT_TRUE(eventually([&] { return !conclusion_of_newest(platform, "team/toolkit").empty(); }, run_max));
  auto log = platform.cli({"run", "log", "--repo", "team/toolkit"});
  EXPECT_EQ(conclusion_of_newest(platform, "team/toolkit"), "success") << log.out;
  for (const char* part : {"upload", "download", "save", "restore"})
    EXPECT_NE(log.out.find("toolkit: " + std::string(part) + " is as it should be"), std::string::npos) << log.out;
  auto artifacts = platform.json({"artifact", "list", "--repo", "team/toolkit"});
  EXPECT_EQ(artifacts.at("total_count").as_int64(), 1);
}

}  // namespace headrace
