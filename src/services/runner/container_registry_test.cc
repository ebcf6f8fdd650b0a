// Images from a real registry, with a real engine, where both are here: who gets one, and what is said to who does not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "services/runner/container_executor.h"
#include "services/runner/testing/real_engine.h"
#include "services/runner/testing/real_registry.h"

namespace headrace::runner {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class RealImages : public ::testing::Test {
 protected:
  void SetUp() override {
    if (engine.program.empty()) GTEST_SKIP() << engine.why_not;
    registry = std::make_unique<testing::RealRegistry>(engine);
    if (!registry->why_not.empty()) GTEST_SKIP() << registry->why_not;
    char path[] = "/tmp/headrace-images-XXXXXX";
    top = ::mkdtemp(path);
    options.engine = registry->program;
    options.folder = top;
    executor = make_container_executor(loop.executor(), clock, options);
    needs.container.emplace().image = registry->image;
  }
  void TearDown() override {
    if (around) loop.run(around->end());
    around = nullptr;
    if (top.empty()) return;
    registry->forget_image();
    EXPECT_EQ(engine.left_of(top), "");
    std::filesystem::remove_all(top);
  }
  void sign_in(const std::string& password) {
    needs.container->username = testing::RealRegistry::username;
    needs.container->password = password;
  }
  // What it says where it fails.
  std::string prepare() {
    if (around) loop.run(around->end());
    around = nullptr;
    std::string own = top + "/" + std::to_string(++jobs);
    auto made = loop.run(executor->prepare({own, own + "/workspace", own + "/temp", {}, {}}, needs));
    if (!made) return made.error().message;
    around = std::move(*made);
    return {};
  }

  const testing::RealEngine& engine = testing::RealEngine::of_this_machine();
  std::unique_ptr<testing::RealRegistry> registry;
  std::string top;
  int jobs = 0;
  core::Loop loop;
  core::SystemClock clock;
  ExecutorOptions options;
  JobNeeds needs;
  std::unique_ptr<Executor> executor;
  std::unique_ptr<Surroundings> around;
};

TEST_F(RealImages, WithItsCredentialsAJobHasAPrivateImage) {
  sign_in(testing::RealRegistry::password);
  EXPECT_EQ(prepare(), "");
}

TEST_F(RealImages, CredentialsOfOneJobOpenNothingToTheNext) {
  sign_in(testing::RealRegistry::password);
  ASSERT_EQ(prepare(), "");
  needs.container->username = needs.container->password = "";
  auto here = prepare();
  EXPECT_THAT(here, AllOf(HasSubstr(registry->host + " does not give it to this job"), HasSubstr("credentials:")))
      << "also where the image is here by now";
  registry->forget_image();
  EXPECT_THAT(prepare(), HasSubstr("does not give it to this job"));
}

TEST_F(RealImages, AWrongPasswordIsSaidWithWhatToLookAt) {
  sign_in("guessed");
  EXPECT_THAT(prepare(), AllOf(HasSubstr("signing in at " + registry->host), HasSubstr("username and password"),
                               Not(HasSubstr("guessed"))));
}

TEST_F(RealImages, ATagThatIsNotThereIsSaidWithWhatToLookAt) {
  sign_in(testing::RealRegistry::password);
  needs.container->image = registry->host + "/team/private:absent";
  EXPECT_THAT(prepare(), AllOf(HasSubstr("pulling the image " + needs.container->image), HasSubstr("its tag")));
}

TEST_F(RealImages, WhereTheRegistryIsGoneTheImageThatIsHereIsUsed) {
  sign_in(testing::RealRegistry::password);
  ASSERT_EQ(prepare(), "");
  needs.container->username = needs.container->password = "";
  registry->stop();
  ASSERT_EQ(prepare(), "");
  EXPECT_THAT(around->description(), Contains(HasSubstr("the one that is here is used")));
  ASSERT_TRUE(around);
  loop.run(around->end());
  around = nullptr;
  registry->forget_image();
  EXPECT_THAT(prepare(), HasSubstr("whether this machine reaches " + registry->host));
}

}  // namespace
}  // namespace headrace::runner
