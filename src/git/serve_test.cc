#include "git/serve.h"

#include <gmock/gmock.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "core/bytes.h"
#include "core/random.h"
#include "git/folder.h"
#include "git/pkt_line.h"
#include "git/repository.h"
#include "git/testing/bridge.h"

namespace headrace::git {
namespace {

using core::Code;
using core::Loop;
using core::Result;
using core::Task;
using ::testing::AllOf;
using ::testing::AnyOf;
using testing::Bridge;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

const std::string zero(40, '0');

// Every push by both ways: carried out here, and by receive-pack with its hooks.
class Serve : public ::testing::TestWithParam<size_t> {
 protected:
  static ServeOptions this_way() {
    ServeOptions options;
    options.direct_refs_max = GetParam();
    return options;
  }
  // A repository with three commits on main, and a clone of it.
  void fill() {
    url_ = bridge_.make_repository("hello");
    bridge_.good_git({"clone", "-q", url_, "work"});
    bridge_.good_git({"checkout", "-q", "-B", "main"}, "work");
    for (const auto* text : {"one\n", "two\n", "three\n"}) head_ = bridge_.commit("work", "file.txt", text);
    bridge_.good_git({"push", "-q", "origin", "main"}, "work");
    bridge_.recorder.accepted.clear();
    bridge_.recorder.moved.clear();
  }
  std::string ref(const std::string& name) {
    return bridge_.git({"rev-parse", "-q", "--verify", name}, "hello.git").out.substr(0, 40);
  }
  bool clean() { return bridge_.git({"fsck", "--strict"}, "hello.git").exit.succeeded(); }

  Loop loop_;
  Bridge bridge_{loop_, this_way()};
  std::string url_;
  std::string head_;
};

TEST_P(Serve, AnEmptyRepositoryIsClonedWithItsBranchName) {
  const auto url = bridge_.make_repository("empty");
  bridge_.good_git({"clone", "-q", url, "copy"});
  EXPECT_EQ(bridge_.good_git({"symbolic-ref", "HEAD"}, "copy"), "refs/heads/main");
}

TEST_P(Serve, APushedHistoryIsClonedAndFetchedByEveryProtocolVersion) {
  fill();
  for (const std::string version : {"0", "1", "2"}) {
    bridge_.good_git({"-c", "protocol.version=" + version, "clone", "-q", url_, "copy" + version});
    EXPECT_EQ(bridge_.good_git({"rev-parse", "HEAD"}, "copy" + version), head_);
  }
  const auto later = bridge_.commit("work", "more.txt", "more\n");
  bridge_.good_git({"push", "-q", "origin", "main"}, "work");
  for (const std::string version : {"0", "1", "2"}) {
    bridge_.good_git({"-c", "protocol.version=" + version, "pull", "-q"}, "copy" + version);
    EXPECT_EQ(bridge_.good_git({"rev-parse", "HEAD"}, "copy" + version), later);
  }
  EXPECT_TRUE(clean());
}

TEST_P(Serve, ShallowClonesDeepen) {
  fill();
  bridge_.good_git({"clone", "-q", "--depth=1", url_, "shallow"});
  EXPECT_EQ(bridge_.good_git({"rev-list", "--count", "HEAD"}, "shallow"), "1");
  bridge_.good_git({"fetch", "-q", "--unshallow"}, "shallow");
  EXPECT_EQ(bridge_.good_git({"rev-list", "--count", "HEAD"}, "shallow"), "3");
}

TEST_P(Serve, PartialClonesGetFilesWhenTheyNeedThem) {
  fill();
  bridge_.good_git({"clone", "-q", "--filter=blob:none", "--no-checkout", url_, "partial"});
  EXPECT_THAT(bridge_.good_git({"rev-list", "--objects", "--missing=print", "HEAD"}, "partial"), HasSubstr("?"));
  EXPECT_EQ(bridge_.good_git({"show", "HEAD~2:file.txt"}, "partial"), "one");
}

TEST_P(Serve, APushTellsTheGatekeeperBeforeAndAfter) {
  fill();
  const auto later = bridge_.commit("work", "a.txt", "a\n");
  bridge_.recorder.says = {"watch it at http://somewhere", "two\nlines"};
  const auto pushed = bridge_.git({"push", "origin", "main", "-o", "ci.skip"}, "work");
  EXPECT_TRUE(pushed.exit.succeeded()) << pushed.err;
  EXPECT_THAT(pushed.err, AllOf(HasSubstr("remote: watch it at http://somewhere"), HasSubstr("remote: two"),
                                HasSubstr("remote: lines"), HasSubstr("remote: received")));
  const RefChange change{"refs/heads/main", head_, later};
  ASSERT_THAT(bridge_.recorder.accepted, SizeIs(1));
  EXPECT_THAT(bridge_.recorder.accepted[0].changes, ElementsAre(change));
  EXPECT_THAT(bridge_.recorder.accepted[0].options, ElementsAre("ci.skip"));
  EXPECT_THAT(bridge_.recorder.moved, ElementsAre(ElementsAre(change)));
  EXPECT_EQ(ref("refs/heads/main"), later);
}

TEST_P(Serve, BranchesAndTagsAreMadeMovedForcedAndDeleted) {
  fill();
  bridge_.good_git({"tag", "-a", "v1", "-m", "first"}, "work");
  bridge_.good_git({"push", "-q", "origin", "v1", "main:feature/x"}, "work");
  EXPECT_EQ(ref("refs/heads/feature/x"), head_);
  bridge_.good_git({"reset", "-q", "--hard", "HEAD~1"}, "work");
  const auto other = bridge_.commit("work", "other.txt", "other\n");
  EXPECT_FALSE(bridge_.git({"push", "-q", "origin", "HEAD:main"}, "work").exit.succeeded());
  bridge_.good_git({"push", "-q", "--force", "origin", "HEAD:main"}, "work");
  EXPECT_EQ(ref("refs/heads/main"), other);
  bridge_.good_git({"push", "-q", "origin", ":feature/x", ":refs/tags/v1"}, "work");
  EXPECT_EQ(ref("refs/heads/feature/x"), "");
  EXPECT_EQ(ref("refs/tags/v1"), "");
  EXPECT_EQ(bridge_.recorder.moved.back()[0].new_commit, zero);
}

TEST_P(Serve, ARefusedPushMovesNothingAndSaysWhy) {
  fill();
  bridge_.commit("work", "a.txt", "a\n");
  bridge_.recorder.refuse = "Only owners push to main. Open a change instead.";
  const auto pushed = bridge_.git({"push", "origin", "main"}, "work");
  EXPECT_FALSE(pushed.exit.succeeded());
  EXPECT_THAT(pushed.err, HasSubstr("remote: Only owners push to main. Open a change instead."));
  EXPECT_EQ(ref("refs/heads/main"), head_);
  EXPECT_THAT(bridge_.recorder.moved, IsEmpty());
  EXPECT_TRUE(clean());
}

TEST_P(Serve, AnAtomicPushIsAllOrNothing) {
  fill();
  bridge_.good_git({"branch", "side"}, "work");
  bridge_.good_git({"push", "-q", "origin", "side"}, "work");
  bridge_.good_git({"reset", "-q", "--hard", "HEAD~1"}, "work");
  bridge_.commit("work", "a.txt", "a\n");
  bridge_.recorder.moved.clear();
  // main does not follow from what is there and is not forced, so side may not move either.
  EXPECT_FALSE(bridge_.git({"push", "--atomic", "origin", "HEAD:main", "+HEAD:side"}, "work").exit.succeeded());
  EXPECT_EQ(ref("refs/heads/side"), head_);
  bridge_.good_git({"push", "-q", "--atomic", "origin", "+HEAD:main", "+HEAD:side", "HEAD:third"}, "work");
  EXPECT_THAT(bridge_.recorder.moved, ElementsAre(SizeIs(3)));
}

Task<> note_success(Bridge& bridge, std::string clone, int& succeeded, std::string& errors) {
  std::vector<std::string> arguments = {"push", "origin", "HEAD:main"};
  auto ran = co_await bridge.git_task(std::move(arguments), std::move(clone));
  if (ran && ran->exit.succeeded()) ++succeeded;
  if (ran && !ran->exit.succeeded()) errors += ran->err;
}

TEST_P(Serve, OfConcurrentPushesToOneRefOneWins) {
  fill();
  constexpr int pushers = 5;
  for (int pusher = 0; pusher < pushers; ++pusher) {
    const auto clone = "clone" + std::to_string(pusher);
    bridge_.good_git({"clone", "-q", url_, clone});
    bridge_.commit(clone, "file" + std::to_string(pusher), "mine\n");
  }
  int succeeded = 0;
  std::string errors;
  core::Scope scope(loop_.executor());
  for (int pusher = 0; pusher < pushers; ++pusher)
    scope.spawn("push", note_success(bridge_, "clone" + std::to_string(pusher), succeeded, errors));
  loop_.run(scope.until_idle());
  EXPECT_EQ(succeeded, 1);
  EXPECT_THAT(errors, HasSubstr("rejected"));
  EXPECT_THAT(bridge_.recorder.moved, ElementsAre(SizeIs(1)));
  EXPECT_EQ(ref("refs/heads/main"), bridge_.recorder.moved[0][0].new_commit);
  EXPECT_TRUE(clean());
}

TEST_P(Serve, HiddenRefsAreNeitherShownNorPushedTo) {
  fill();
  bridge_.good_git({"update-ref", "refs/headrace/keep/1", head_}, "hello.git");
  EXPECT_THAT(bridge_.good_git({"ls-remote", url_}), Not(HasSubstr("headrace")));
  EXPECT_THAT(bridge_.good_git({"-c", "protocol.version=0", "ls-remote", url_}), Not(HasSubstr("headrace")));
  const auto pushed = bridge_.git({"push", "origin", "main:refs/headrace/keep/2"}, "work");
  EXPECT_FALSE(pushed.exit.succeeded());
  EXPECT_EQ(ref("refs/headrace/keep/2"), "");
  EXPECT_THAT(bridge_.recorder.moved, IsEmpty());
}

TEST_P(Serve, AnyCommitThatIsThereMayBeFetchedByItsId) {
  fill();
  const auto parent = bridge_.good_git({"rev-parse", "HEAD~1"}, "work");
  bridge_.good_git({"init", "-q", "single"});
  bridge_.good_git({"fetch", "-q", "--depth=1", url_, parent}, "single");
  EXPECT_EQ(bridge_.good_git({"rev-parse", "FETCH_HEAD"}, "single"), parent);
}

TEST_P(Serve, APushOfManyRefsArrivesWhole) {
  fill();
  constexpr size_t count = 1'200;
  std::string lines;
  for (size_t index = 0; index < count; ++index)
    lines += "create refs/heads/many/" + std::to_string(index) + " " + head_ + "\n";
  std::ofstream(bridge_.root() + "/refs.txt") << lines;
  process::Spec spec;
  spec.argv = {"git", "update-ref", "--stdin"};
  spec.environment = process::inherited_environment({"PATH"});
  spec.directory = bridge_.root() + "/work";
  ASSERT_TRUE(loop_.run(process::run(loop_.executor(), spec, lines, {}))->exit.succeeded());
  bridge_.good_git({"push", "-q", "origin", "refs/heads/many/*"}, "work");
  EXPECT_THAT(bridge_.recorder.accepted, ElementsAre(::testing::Field(&Gatekeeper::Push::changes, SizeIs(count))));
  EXPECT_THAT(bridge_.recorder.moved, ElementsAre(SizeIs(count)));
  EXPECT_FALSE(bridge_.recorder.durable);  // git moved them, and syncs no folders
}

TEST_P(Serve, ALargePushComesInChunksAfterAProbe) {
  fill();
  core::SeededRandom random(7);
  std::string much(6 << 20, '\0');
  random.fill(std::as_writable_bytes(std::span(much)));
  const auto later = bridge_.commit("work", "large.bin", much);
  bridge_.requests.clear();
  bridge_.good_git({"push", "-q", "origin", "main"}, "work");
  EXPECT_EQ(ref("refs/heads/main"), later);
  EXPECT_THAT(bridge_.requests, ElementsAre("GET info/refs", "POST git-receive-pack", "POST git-receive-pack"));
  bridge_.good_git({"clone", "-q", url_, "copy"});
  EXPECT_EQ(bridge_.good_git({"rev-parse", "HEAD"}, "copy"), later);
}

TEST_P(Serve, RequestsThatComeGzipEncodedAreUnpacked) {
  fill();
  bridge_.good_git({"clone", "-q", url_, "copy"});
  // Many wants make a request above 1,024 bytes, which git packs.
  std::vector<std::string> push = {"push", "-q", "origin"};
  std::string later;
  for (int index = 0; index < 40; ++index) {
    bridge_.good_git({"commit", "-q", "--allow-empty", "-m", std::to_string(index)}, "work");
    later = bridge_.good_git({"rev-parse", "HEAD"}, "work");
    push.push_back(later + ":refs/heads/b" + std::to_string(index));
  }
  bridge_.good_git(push, "work");
  bridge_.requests.clear();
  bridge_.good_git({"fetch", "-q", "origin"}, "copy");
  EXPECT_THAT(bridge_.requests, Contains("POST git-upload-pack gzip"));
  EXPECT_EQ(bridge_.good_git({"rev-parse", "origin/b39"}, "copy"), later);
}

TEST_P(Serve, ARepositoryThatIsNotThereIsNotFound) {
  const auto ran = bridge_.git({"clone", bridge_.url("nothing"), "copy"});
  EXPECT_FALSE(ran.exit.succeeded());
  EXPECT_THAT(ran.err, HasSubstr("not found"));
}

// --- Requests made by hand.

struct Wire {
  explicit Wire(std::string text = {}) : body(std::move(text)) {}
  std::string body;
  size_t read = 0;
  std::string answer;
  bool gone = false;  // the client takes nothing
};
Task<Result<size_t>> read_wire(Wire& wire, std::span<std::byte> bytes) {
  const size_t count = std::min(bytes.size(), wire.body.size() - wire.read);
  std::ranges::copy(core::as_bytes(std::string_view(wire.body).substr(wire.read, count)), bytes.begin());
  wire.read += count;
  co_return count;
}
Task<Result<>> write_wire(Wire& wire, std::span<const std::byte> bytes) {
  if (wire.gone) co_return core::fail(Code::unavailable, "gone");
  wire.answer.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  co_return Result<>{};
}

class Hand : public Serve {
 protected:
  Result<> receive(Wire& wire) {
    return loop_.run(
        bridge_.server.receive_pack({bridge_.path("hello"), "", false}, bridge_.recorder, reader(wire), writer(wire)));
  }
  Result<> upload(Wire& wire, const std::string& protocol = "version=2") {
    return loop_.run(bridge_.server.upload_pack({bridge_.path("hello"), protocol, false}, reader(wire), writer(wire)));
  }
  static ReadBody reader(Wire& wire) {
    return [&wire](std::span<std::byte> bytes) { return read_wire(wire, bytes); };
  }
  static WriteChunk writer(Wire& wire) {
    return [&wire](std::span<const std::byte> bytes) { return write_wire(wire, bytes); };
  }
  // main from where it is to a new commit, with its pack.
  std::string push_of_one_commit() {
    const auto later = bridge_.commit("work", "by-hand.txt", "by hand\n");
    process::Spec spec;
    spec.argv = {"git", "pack-objects", "--stdout", "--revs", "-q"};
    spec.environment = process::inherited_environment({"PATH"});
    spec.directory = bridge_.root() + "/work";
    auto packed = loop_.run(process::run(loop_.executor(), spec, later + "\n^" + head_ + "\n", {}));
    EXPECT_TRUE(packed && packed->exit.succeeded());
    later_ = later;
    return to_packet(head_ + " " + later + " refs/heads/main" + std::string(1, '\0') + " report-status side-band-64k") +
           "0000" + packed->out;
  }
  std::string later_;
};

TEST_P(Hand, ACorruptPackMovesNothingAndTellsTheClient) {
  fill();
  Wire wire{push_of_one_commit()};
  wire.body[wire.body.size() - 25] ^= 0x40;
  EXPECT_TRUE(receive(wire));
  EXPECT_THAT(wire.answer, HasSubstr("unpack "));
  EXPECT_THAT(wire.answer, Not(HasSubstr("unpack ok")));
  EXPECT_EQ(ref("refs/heads/main"), head_);
  EXPECT_THAT(bridge_.recorder.accepted, IsEmpty());
  EXPECT_TRUE(clean());
}

TEST_P(Hand, APackThatIsCutOffMovesNothing) {
  fill();
  Wire wire{push_of_one_commit()};
  wire.body.resize(wire.body.size() - 30);
  EXPECT_TRUE(receive(wire));
  EXPECT_THAT(wire.answer, Not(HasSubstr("unpack ok")));
  EXPECT_EQ(ref("refs/heads/main"), head_);
  EXPECT_THAT(bridge_.recorder.accepted, IsEmpty());
}

TEST_P(Hand, APushIsCarriedOutThoughItsClientHasGone) {
  fill();
  Wire wire{push_of_one_commit()};
  wire.gone = true;
  bridge_.recorder.says = {"is anybody there?"};
  EXPECT_EQ(receive(wire).error().code, Code::unavailable);
  EXPECT_EQ(ref("refs/heads/main"), later_);
  EXPECT_THAT(bridge_.recorder.moved, SizeIs(1));
}

TEST_P(Hand, AFetchEndsWithItsClient) {
  fill();
  Wire wire{to_packet("command=fetch\n") + "0001" + to_packet("want " + head_ + "\n") + to_packet("done\n") + "0000"};
  wire.gone = true;
  EXPECT_EQ(upload(wire).error().code, Code::unavailable);
}

TEST_P(Hand, NonsenseIsAnswered) {
  fill();
  Wire nonsense{"this is not git"};
  EXPECT_EQ(receive(nonsense).error().code, Code::invalid);
  Wire nothing;
  EXPECT_EQ(receive(nothing).error().code, Code::invalid);
  Wire asked{"this is not git either"};
  EXPECT_FALSE(upload(asked));
  Wire unknown{to_packet("command=make-coffee\n") + "0000"};
  static_cast<void>(upload(unknown));
  EXPECT_THAT(unknown.answer, Not(HasSubstr("PACK")));
  EXPECT_EQ(bridge_.server.counters().running, 0u);
}

TEST_P(Hand, AProbeIsAnsweredWithNothing) {
  fill();
  Wire probe{"0000"};
  EXPECT_TRUE(receive(probe));
  EXPECT_EQ(probe.answer, "");
}

TEST_P(Hand, ARefNamedToFoolTheHooksIsRefusedBeforeGitSeesIt) {
  fill();
  Wire wire{to_packet(zero + " " + head_ + " refs/heads/x\nend" + std::string(1, '\0') + " report-status") + "0000"};
  EXPECT_EQ(receive(wire).error().code, Code::invalid);
  EXPECT_THAT(bridge_.recorder.accepted, IsEmpty());
}

std::string name_of_way(const ::testing::TestParamInfo<size_t>& way) {
  return way.param == 0 ? "ThroughGit" : "Direct";
}
INSTANTIATE_TEST_SUITE_P(BothWays, Serve, ::testing::Values(ServeOptions().direct_refs_max, 0), name_of_way);
INSTANTIATE_TEST_SUITE_P(BothWays, Hand, ::testing::Values(ServeOptions().direct_refs_max, 0), name_of_way);

Task<> fetch_meanwhile(Bridge& bridge, std::string url, std::string& said) {
  std::vector<std::string> arguments = {"clone", url, "another"};
  auto ran = co_await bridge.git_task(std::move(arguments));
  said = ran ? ran->err : ran.error().message;
}

TEST(ServeLimits, APackBeyondItsBoundIsRefusedWithAWord) {
  Loop loop;
  ServeOptions options;
  options.pack_bytes_max = 100'000;
  Bridge bridge(loop, options);
  const auto url = bridge.make_repository("small");
  bridge.good_git({"clone", "-q", url, "work"});
  core::SeededRandom random(9);
  std::string much(300'000, '\0');
  random.fill(std::as_writable_bytes(std::span(much)));
  bridge.commit("work", "large.bin", much);
  const auto pushed = bridge.git({"push", "origin", "HEAD:main"}, "work");
  EXPECT_FALSE(pushed.exit.succeeded());
  EXPECT_THAT(pushed.err, HasSubstr("exceeds maximum allowed size"));
  EXPECT_THAT(bridge.recorder.accepted, IsEmpty());
}

TEST(ServeLimits, RequestsBeyondTheLineAreRefused) {
  Loop loop;
  ServeOptions options;
  options.processes_max = 1;
  options.waiting_max = 0;
  Bridge bridge(loop, options);
  const auto url = bridge.make_repository("busy");
  bridge.good_git({"clone", "-q", url, "work"});
  bridge.commit("work", "a.txt", "a\n");
  bridge.good_git({"push", "-q", "origin", "HEAD:first"}, "work");
  // While a push is being judged it has the one process there is.
  std::string said;
  bridge.recorder.before_answer = [&] { return fetch_meanwhile(bridge, url, said); };
  bridge.good_git({"push", "-q", "origin", "HEAD:main"}, "work");
  EXPECT_THAT(said, HasSubstr("503"));
  EXPECT_EQ(bridge.server.counters().refused, 1u);
}

}  // namespace
}  // namespace headrace::git
