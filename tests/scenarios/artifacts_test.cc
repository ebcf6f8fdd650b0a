// Artifacts and caches by the actions that the runner serves itself, on the host and in sandboxes, with real tar and
// git.
#include <gtest/gtest.h>

#include <filesystem>

#include "support/sandboxes.h"

namespace headrace {

namespace {

using support::Clone;
using support::conclusion_of_newest;
using support::eventually;
using support::in_sandboxes;
using support::makes_sandboxes;
using support::Platform;
using support::read_file;

// Steps are indented by six.
std::string job(const std::string& name, const std::string& steps, const std::string& more = {}) {
  return "  " + name + ":\n    runs-on: ubuntu-latest\n" + more + "    steps:\n" + steps;
}
std::string run(const std::string& script) {
  std::string text = "      - run: |\n";
  for (size_t at = 0; at < script.size();) {
    auto end = std::min(script.find('\n', at), script.size());
    text += "          " + script.substr(at, end - at) + "\n";
    at = end + 1;
  }
  return text;
}
std::string use(const std::string& action, const std::string& with, const std::string& id = {}) {
  return "      - uses: " + action + "\n" + (id.empty() ? "" : "        id: " + id + "\n") + "        with: {" + with +
         "}\n";
}

// Pushes it and waits for its end; "" where it did not end.
std::string conclusion_of(Platform& platform, const std::string& workflow) {
  if (platform.cli({"repo", "create", "team/hello"}).exit != 0) return "no repository";
  Clone clone(platform, "team/hello", "hello");
  clone.write(".github/workflows/ci.yml", "name: ci\non: push\njobs:\n" + workflow);
  clone.commit("a workflow");
  if (clone.push().exit != 0) return "not pushed";
  EXPECT_TRUE(eventually([&] { return !conclusion_of_newest(platform, "team/hello").empty(); }));
  return conclusion_of_newest(platform, "team/hello");
}
std::string log_of(Platform& platform) { return platform.cli({"run", "log", "--repo", "team/hello"}).out; }

std::string whole_workflow() {
  std::string one = run(R"(mkdir -p out/deep out/.hidden
printf hello > out/a.txt
printf deep > out/deep/b.txt
printf log > out/deep/c.log
printf hidden > out/.hidden/d.txt
head -c 3000000 /dev/urandom > out/large.bin
sha256sum < out/large.bin > out/sum
ln -s a.txt out/link
chmod +x out/a.txt)");
  one += use("actions/upload-artifact@v4", "name: all, path: out/, retention-days: 3", "all");
  one +=
      run("test -n '${{ steps.all.outputs.artifact-id }}'\n"
          "test \"$(printf '%s' '${{ steps.all.outputs.artifact-digest }}' | wc -c)\" = 64");
  one +=
      "      - uses: actions/upload-artifact@v4\n        with:\n          name: some\n          path: |\n"
      "            out/**/*.txt\n            !out/a.txt\n          include-hidden-files: true\n";
  one += use("actions/upload-artifact@v4", "name: single, path: out/a.txt");
  one += use("actions/upload-artifact@v4", "name: single, path: out/deep/c.log, overwrite: true");
  one += use("actions/upload-artifact@v4", "name: none, path: nothing/*, if-no-files-found: ignore");
  one += "      - uses: actions/cache@v4\n        with: {path: deps, key: deps-1, restore-keys: deps-}\n";
  one += run("test ! -e deps && mkdir -p deps/x && printf cached > deps/x/y");
  std::string two = use("actions/download-artifact@v4", "name: all, path: got", "got");
  two +=
      run("cd got\n"
          "test \"$(cat a.txt)$(cat deep/b.txt)$(cat deep/c.log)$(cat link)\" = hellodeeploghello\n"
          "test ! -e .hidden\n"
          "sha256sum < large.bin | cmp - sum\n"
          "test '${{ steps.got.outputs.download-path }}' = \"$GITHUB_WORKSPACE/got\"");
  two += use("actions/download-artifact@v4", "pattern: 's*', path: each");
  two +=
      run("test \"$(cat each/some/deep/b.txt)$(cat each/some/.hidden/d.txt)$(cat each/single/c.log)\" = deephiddenlog\n"
          "test ! -e each/some/a.txt\n"
          "test ! -e each/all");
  two += use("actions/download-artifact@v4", "pattern: 's*', path: merged, merge-multiple: true");
  two += run("test -e merged/c.log && test -e merged/deep/b.txt");
  two += use("actions/cache/restore@v4", "path: deps, key: deps-2, restore-keys: deps-", "cache");
  two +=
      run("test \"$(cat deps/x/y)\" = cached\n"
          "test '${{ steps.cache.outputs.cache-hit }}${{ steps.cache.outputs.cache-matched-key }}' = falsedeps-1\n"
          "test '${{ steps.cache.outputs.cache-primary-key }}' = deps-2\n"
          "rm -r deps");
  two += use("actions/cache@v4", "path: deps, key: deps-1", "exact");
  two += run("test '${{ steps.exact.outputs.cache-hit }}' = true && test -e deps/x/y");
  return job("one", one) + job("two", two, "    needs: one\n");
}

}  // namespace

TEST(ArtifactActions, KeepAndGiveBackWhatJobsMadeOnTheHost) {
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  EXPECT_EQ(conclusion_of(platform, whole_workflow()), "success") << log_of(platform);

  auto list = platform.json({"artifact", "list", "--repo", "team/hello"});
  EXPECT_EQ(list.at("total_count").as_int64(), 3);
  auto folder = platform.folder() + "/fetched";
  auto fetched = platform.json({"artifact", "download", "all", "--repo", "team/hello", "--dir", folder});
  EXPECT_EQ(fetched.at("files").as_int64(), 6);
  EXPECT_EQ(read_file(folder + "/deep/b.txt"), "deep");
  EXPECT_EQ(platform.cli({"artifact", "delete", "all", "--repo", "team/hello"}).exit, 0);
  EXPECT_EQ(platform.cli({"artifact", "delete", "all", "--repo", "team/hello"}).exit, 1);
  EXPECT_EQ(platform.json({"cache", "list", "--repo", "team/hello"}).at("total_count").as_int64(), 1);
  EXPECT_EQ(platform.cli({"cache", "delete", "deps-1", "--repo", "team/hello"}).exit, 0);
  EXPECT_EQ(platform.json({"cache", "list", "--repo", "team/hello"}).at("total_count").as_int64(), 0);
}

TEST(ArtifactActions, KeepAndGiveBackWhatJobsMadeInSandboxes) {
  Platform platform(in_sandboxes());
  ASSERT_TRUE(platform.start()) << platform.said();
  if (!makes_sandboxes(platform)) GTEST_SKIP() << "this machine makes no sandboxes: " << platform.said();
  EXPECT_EQ(conclusion_of(platform, whole_workflow()), "success") << log_of(platform);
}

TEST(ArtifactActions, SayWhatIsWrong) {
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  std::string steps = run("printf x > a");
  steps += use("actions/upload-artifact@v4", "name: 'a/b', path: a");
  EXPECT_EQ(conclusion_of(platform, job("one", steps)), "failure");
  EXPECT_NE(log_of(platform).find("The artifact name is not valid"), std::string::npos) << log_of(platform);
}

// git and the API reach the server by the runner's door, whatever network the job has.
TEST(ArtifactActions, LeaveGitAndTheApiWithinReachOfASandbox) {
  Platform platform(in_sandboxes());
  ASSERT_TRUE(platform.start()) << platform.said();
  if (!makes_sandboxes(platform)) GTEST_SKIP() << "this machine makes no sandboxes: " << platform.said();
  std::string steps = "      - uses: actions/checkout@v4\n";
  steps += run("git ls-remote origin refs/heads/main | grep -q \"$GITHUB_SHA\"");
  steps +=
      "      - run: |\n          python3 -c 'import os, urllib.request as r; q = "
      "r.Request(os.environ[\"GITHUB_API_URL\"] + "
      "\"/repos/team/hello/actions/artifacts\", headers={\"Authorization\": \"Bearer \" + os.environ[\"TOKEN\"]}); "
      "print(r.urlopen(q).read())'\n        env: {TOKEN: '${{ github.token }}'}\n";
  EXPECT_EQ(conclusion_of(platform, job("one", steps)), "success") << log_of(platform);
}

}  // namespace headrace
