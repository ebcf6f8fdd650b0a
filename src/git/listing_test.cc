#include "git/listing.h"

#include <gmock/gmock.h>

#include <set>
#include <sstream>

#include "git/pkt_line.h"
#include "git/testing/bridge.h"

namespace headrace::git {
namespace {

using testing::Bridge;
using ::testing::HasSubstr;
using ::testing::Not;

std::set<std::string> words_of(std::string_view text) {
  std::istringstream in{std::string(text)};
  std::set<std::string> words;
  for (std::string word; in >> word;)
    if (!word.starts_with("agent=") && !word.starts_with("symref=")) words.insert(word);
  return words;
}

// What is said of refs, and what is offered, apart.
struct Said {
  std::string refs;
  std::set<std::string> offered;
};
Said take_apart(std::string_view answer) {
  Said said;
  while (!answer.empty()) {
    const auto packet = first_packet(answer).value().value();
    answer.remove_prefix(packet.bytes);
    const size_t end = packet.text.find('\0');
    if (end != std::string_view::npos) said.offered = words_of(packet.text.substr(end + 1));
    said.refs += packet.kind == Packet::Kind::flush ? "flush" : std::string(packet.text.substr(0, end));
    if (!said.refs.ends_with('\n')) said.refs += '\n';
  }
  return said;
}

// A repository with branches, tags of both kinds, notes, hidden refs and a symbolic ref.
class Listed : public ::testing::Test {
 protected:
  Listed() {
    bridge_.make_repository("many");
    bridge_.good_git({"clone", "-q", bridge_.url("many"), "work"});
    bridge_.good_git({"checkout", "-q", "-B", "main"}, "work");
    bridge_.commit("work", "a.txt", "one\n");
  }
  void fill() {
    bridge_.good_git({"tag", "-a", "v1", "-m", "one"}, "work");
    bridge_.good_git({"tag", "-a", "v1.1", "-m", "tag of a tag", "v1"}, "work");
    bridge_.good_git({"tag", "light"}, "work");
    bridge_.good_git({"push", "-q", "origin", "main", "main:feature/x", "main:refs/notes/n", "--tags"}, "work");
    bridge_.good_git({"update-ref", "refs/headrace/keep/1", "main"}, "many.git");
    bridge_.good_git({"pack-refs", "--all"}, "many.git");
    bridge_.good_git({"symbolic-ref", "refs/heads/other", "refs/heads/main"}, "many.git");
    bridge_.good_git({"push", "-q", "origin", "main:later"}, "work");
  }
  std::string git_says(const std::string& service, const std::string& protocol, std::string request) {
    process::Spec spec;
    spec.argv = {"git",
                 "-c",
                 "transfer.hideRefs=refs/headrace",
                 "-c",
                 "receive.advertisePushOptions=true",
                 "-c",
                 "uploadpack.allowFilter=true",
                 "-c",
                 "uploadpack.allowAnySHA1InWant=true",
                 service,
                 "--stateless-rpc"};
    if (request.empty()) spec.argv.emplace_back("--http-backend-info-refs");
    spec.argv.push_back(bridge_.path("many"));
    spec.environment = process::inherited_environment({"PATH"});
    spec.environment.push_back("GIT_PROTOCOL=" + protocol);
    auto ran = loop_.run(process::run(loop_.executor(), std::move(spec), std::move(request), {}));
    EXPECT_TRUE(ran && ran->exit.succeeded());
    return ran->out;
  }
  std::string we_say(Service service, Announce announce) {
    return old_advertisement(list_refs(bridge_.path("many"), Peel::yes).value(), service, announce);
  }
  void compare_all() {
    for (const auto service : {Service::upload_pack, Service::receive_pack})
      for (const auto announce : {Announce::nothing, Announce::version_1}) {
        const std::string name(name_of(service).substr(4));
        const auto theirs = take_apart(git_says(name, announce == Announce::version_1 ? "version=1" : "", {}));
        const auto ours = take_apart(we_say(service, announce));
        EXPECT_EQ(ours.refs, theirs.refs) << name;
        EXPECT_EQ(ours.offered, theirs.offered) << name;
      }
    for (const std::string arguments :
         {"", "peel symrefs unborn", "peel", "symrefs", "unborn", "peel symrefs ref-prefix=refs/heads/ ref-prefix=HEAD",
          "ref-prefix=refs/tags/v1", "unborn symrefs ref-prefix=refs/tags"}) {
      const auto request = ls_refs(arguments);
      const auto asked = parse_ls_refs(request);
      ASSERT_TRUE(asked) << arguments;
      EXPECT_EQ(answer_ls_refs(list_refs(bridge_.path("many"), Peel::yes).value(), *asked),
                git_says("upload-pack", "version=2", request))
          << arguments;
    }
  }
  static std::string ls_refs(const std::string& arguments) {
    std::string request = to_packet("command=ls-refs\n") + to_packet("agent=test") + to_packet("object-format=sha1");
    request += "0001";
    std::istringstream in(arguments);
    for (std::string word; in >> word;) {
      if (const size_t sign = word.find('='); sign != std::string::npos) word[sign] = ' ';
      request += to_packet(word + "\n");
    }
    return request + "0000";
  }

  core::Loop loop_;
  Bridge bridge_{loop_};
};

TEST_F(Listed, SaysWhatGitSaysOfAnEmptyRepository) { compare_all(); }

TEST_F(Listed, SaysWhatGitSaysOfManyKindsOfRefs) {
  fill();
  compare_all();
  EXPECT_THAT(we_say(Service::receive_pack, Announce::nothing), Not(HasSubstr("refs/headrace")));
}

TEST_F(Listed, LeavesOutARefThatLeadsNowhere) {
  fill();
  const auto before = we_say(Service::upload_pack, Announce::nothing);
  bridge_.write("many.git/refs/heads/broken", std::string(39, '0') + "1\n");
  EXPECT_EQ(we_say(Service::upload_pack, Announce::nothing), before);
}

TEST_F(Listed, LeavesARepositoryWithBorrowedObjectsToGit) {
  bridge_.write("many.git/objects/info/alternates", "/nonexistent/objects\n");
  EXPECT_EQ(list_refs(bridge_.path("many"), Peel::no).error().code, core::Code::unavailable);
}

TEST(ListRefsRequest, IsLeftToGitWhereItIsNotWholeOrAsksForMore) {
  const auto whole = to_packet("command=ls-refs\n") + "0001" + to_packet("peel\n") + "0000";
  EXPECT_TRUE(parse_ls_refs(whole));
  for (size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(parse_ls_refs(std::string_view(whole).substr(0, length))) << length;
  EXPECT_FALSE(parse_ls_refs(whole + "0000"));
  EXPECT_FALSE(parse_ls_refs(to_packet("command=fetch\n") + "0000"));
  EXPECT_FALSE(parse_ls_refs(to_packet("command=ls-refs\n") + "0001" + to_packet("turn-around\n") + "0000"));
  EXPECT_FALSE(parse_ls_refs(to_packet("command=ls-refs\n") + to_packet("object-format=sha256") + "0000"));
  EXPECT_FALSE(parse_ls_refs(to_packet("command=ls-refs\n") + "0002"));
  EXPECT_FALSE(parse_ls_refs("0000"));
}

}  // namespace
}  // namespace headrace::git
