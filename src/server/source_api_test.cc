// What a repository holds, as clients read it: files of any size and kind, large commits, where branches stand.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "process/run.h"
#include "server/testing/world.h"

namespace headrace::server {
namespace {

using ::testing::HasSubstr;
using testing::json_of;
namespace json = core::json;
using ::testing::StartsWith;

constexpr auto home = "/api/v1/repositories/team/shop";

class Source : public ::testing::Test {
 protected:
  void SetUp() override {
    world.post("/api/v1/repositories", R"({"full_name":"team/shop"})");
    std::filesystem::create_directories(clone());
    sh("git init -q -b main .");
  }
  std::string clone() const { return world.folder() + "/clone"; }
  std::string url() {
    auto url = world.parts().public_url;
    return url.insert(std::string("http://").size(), "admin:" + world.administrator + "@") + "/team/shop.git";
  }
  void write(const std::string& file, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(clone() + "/" + file).parent_path());
    std::ofstream(clone() + "/" + file) << text;
  }
  void push(const std::string& title) {
    sh("git add -A && git commit -q -m '" + title + "' && git push -q " + url() + " main");
  }
  void sh(const std::string& script) {
    process::Spec git;
    git.argv = {"/bin/sh", "-ec", script};
    git.environment = process::inherited_environment({"PATH"});
    for (const char* word : {"HOME=/nonexistent", "GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=a@example.org",
                             "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=a@example.org"})
      git.environment.emplace_back(word);
    git.directory = clone();
    auto ran = world.parts().loop.run(process::run(world.parts().loop.executor(), git, {}, {}));
    EXPECT_TRUE(ran && ran->exit.succeeded()) << (ran ? ran->err : ran.error().message);
  }
  template <class Holds>
  bool until(Holds holds) {
    auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!holds() && std::chrono::steady_clock::now() < deadline)
      world.parts().loop.run(world.parts().clock.sleep_for(std::chrono::milliseconds(1)));
    return holds();
  }
  net::Response get(const std::string& rest) { return world.get(home + rest); }

  testing::World world;
};

TEST_F(Source, AFileOfAnySizeComesWholeAndNeverAsAPageOfOurs) {
  std::string large(5 << 20, 'x');
  write("large.txt", large);
  write("page.html", "<script>alert(1)</script>");
  write("logo.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>");
  write("program", std::string("\0\1\2", 3));
  push("files");
  auto cut = get("/blob/main?path=large.txt");
  EXPECT_EQ(cut.body.size(), 1U << 20);
  EXPECT_EQ(cut.headers.get("X-Headrace-Size"), std::to_string(large.size()));
  auto whole = get("/raw/main?path=large.txt");
  EXPECT_EQ(whole.status, net::Status::ok);
  EXPECT_TRUE(whole.body == large);
  auto page = get("/raw/main?path=page.html");
  EXPECT_EQ(page.headers.get("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(page.headers.get("X-Content-Type-Options"), "nosniff");
  EXPECT_THAT(std::string(page.headers.get("Content-Security-Policy")), StartsWith("sandbox; default-src 'none'"));
  EXPECT_THAT(std::string(page.headers.get("Content-Disposition")), StartsWith("inline"));
  EXPECT_EQ(get("/raw/main?path=logo.svg").headers.get("Content-Type"), "image/svg+xml");
  auto program = get("/raw/main?path=program");
  EXPECT_EQ(program.headers.get("Content-Type"), "application/octet-stream");
  EXPECT_THAT(std::string(program.headers.get("Content-Disposition")), StartsWith("attachment"));
  EXPECT_THAT(std::string(get("/raw/main?path=page.html&download=true").headers.get("Content-Disposition")),
              StartsWith("attachment; filename*=UTF-8''page.html"));
  EXPECT_EQ(get("/raw/main?path=nothing").status, net::Status::not_found);
  EXPECT_EQ(world.get_as("", std::string(home) + "/raw/main?path=page.html").status, net::Status::unauthorized);
}

TEST_F(Source, NamesFullOfMarkupAndControlCharactersAreReadAsTheyAre) {
  const std::string name = "<img src=x onerror=alert(1)>\x01\n\"&%23#?.txt";
  write(name, "odd\n");
  sh("printf 'latin' > \"$(printf 'na\\377me')\"");
  push("names");
  auto entries = json_of(get("/tree/main")).at("entries").as_array();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].at("name").as_string(), name);
  EXPECT_EQ(entries[1].at("name").as_string(), "na\xEF\xBF\xBDme");
  for (const auto& entry : json_of(get("/tree/main?commits=true")).at("entries").as_array())
    EXPECT_EQ(entry.at("last_change").at("title").as_string(), "names");
  auto file = get("/raw/main?path=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E%01%0A%22%26%2523%23%3F.txt");
  EXPECT_EQ(file.body, "odd\n");
  EXPECT_THAT(std::string(file.headers.get("Content-Disposition")), ::testing::Not(HasSubstr("\n")));
}

TEST_F(Source, ACommitOfFiveThousandFilesListsThemAllAndGivesEachPatchOnItsOwn) {
  sh("i=0; mkdir many; while [ $i -lt 5000 ]; do echo $i; i=$((i+1)); done | split -l 1 -a 4 - many/f");
  write("zz.txt", std::string(100'000, 'a') + "\n");
  push("many");
  auto commit = json_of(get("/commits/main"));
  const auto& diff = commit.at("diff");
  EXPECT_EQ(diff.at("files_total").to_number<int>(), 5001);
  EXPECT_EQ(diff.at("files").as_array().size(), 5001U);
  EXPECT_EQ(diff.at("additions").to_number<int>(), 5001);
  auto one = json_of(get("/commits/main?path=zz.txt")).at("diff");
  ASSERT_EQ(one.at("files").as_array().size(), 1U);
  EXPECT_THAT(std::string(one.at("files").at(0).at("patch").as_string()), HasSubstr("+aaaa"));
}

TEST_F(Source, RefsTellWhereTheyStandWhenAsked) {
  write("a", "1");
  push("first: <b>bold</b>\n\nwith a body");
  sh("i=0; while [ $i -lt 500 ]; do git branch b/$i; i=$((i+1)); done; git tag -a v1 -m one; git push -q " + url() +
     " 'refs/heads/b/*' v1");
  EXPECT_FALSE(json_of(get("/refs")).at("refs").at(0).as_object().contains("tip"));
  auto refs = json_of(get("/refs?commits=true")).at("refs").as_array();
  ASSERT_EQ(refs.size(), 502U);
  for (const auto& ref : refs) {
    EXPECT_EQ(ref.at("tip").at("title").as_string(), "first: <b>bold</b>");
    EXPECT_EQ(ref.at("tip").at("author").as_string(), "Ada");
  }
  EXPECT_EQ(get("/refs?commits=perhaps").status, net::Status::unprocessable_content);
}

TEST_F(Source, TheListTellsHowDefaultBranchesAreWhenAsked) {
  write(".github/workflows/ci.yml", "on: push\njobs:\n  build:\n    runs-on: linux\n    steps:\n      - run: 'true'\n");
  push("work");
  sh("git push -q " + url() + " main:refs/heads/other");
  auto repositories = [&](const char* query) {
    return json_of(world.get(std::string("/api/v1/repositories") + query)).at("repositories").as_array();
  };
  EXPECT_FALSE(repositories("").at(0).as_object().contains("runs"));
  json::array runs;
  ASSERT_TRUE(until([&] {
    runs = repositories("?runs=true").at(0).at("runs").as_array();
    return !runs.empty();
  }));
  EXPECT_EQ(runs.size(), 1U) << "of main alone";
  EXPECT_EQ(runs[0].at("commit"), json_of(get("/refs")).at("refs").at(0).at("commit"));
  EXPECT_EQ(runs[0].at("status").as_string(), "queued");
  EXPECT_TRUE(runs[0].at("conclusion").is_null());
}

TEST_F(Source, BeforeItsBeginningARepositoryIsNotThereAndNowItSaysWhenItBegan) {
  auto created = json_of(get("")).at("created").to_number<uint64_t>();
  EXPECT_EQ(get("?at=" + std::to_string(created)).status, net::Status::ok);
  EXPECT_EQ(get("?at=" + std::to_string(created - 1)).status, net::Status::not_found);
  EXPECT_EQ(get("/refs?at=" + std::to_string(created - 1)).status, net::Status::not_found);
}

}  // namespace
}  // namespace headrace::server
