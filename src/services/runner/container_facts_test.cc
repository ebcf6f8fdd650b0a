#include "services/runner/container_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::runner {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(ContainerFacts, HealthIsReadAsDockerAndPodmanSayIt) {
  EXPECT_EQ(read_health(R"({"Status":"running"})"), ContainerHealth::running);
  EXPECT_EQ(read_health(R"({"Status":"running","Health":{"Status":""}})"), ContainerHealth::running);
  EXPECT_EQ(read_health(R"({"Status":"running","Health":{"Status":"starting"}})"), ContainerHealth::starting);
  EXPECT_EQ(read_health(R"({"Status":"running","Healthcheck":{"Status":"healthy"}})"), ContainerHealth::healthy);
  EXPECT_EQ(read_health(R"({"Status":"running","Health":{"Status":"unhealthy"}})"), ContainerHealth::unhealthy);
  EXPECT_EQ(read_health(R"({"Status":"exited","Health":{"Status":"healthy"}})"), ContainerHealth::ended);
  for (const char* odd : {"", "null", "[1]", "{}", R"({"Status":7})", R"({"Status":"created","Health":[]})"})
    EXPECT_EQ(read_health(odd), ContainerHealth::unknown) << odd;
  EXPECT_EQ(read_end(R"({"Status":"exited","ExitCode":3})"), "exit code 3");
  EXPECT_EQ(read_end("{}"), "");
}

TEST(ContainerFacts, AServiceHasTheTimeOfItsStartPeriodAndItsRetries) {
  using std::chrono::seconds;
  EXPECT_EQ(read_patience("null"), seconds(90));
  EXPECT_EQ(read_patience(R"({"Interval":5000000000,"Retries":4,"StartPeriod":10000000000})"), seconds(30));
  EXPECT_EQ(read_patience(R"({"Interval":-1,"Retries":0})"), seconds(90));
  EXPECT_LE(read_patience(R"({"Interval":9223372036854775807,"Retries":9223372036854775807})"), seconds(3'600) * 1'000);
}

TEST(ContainerFacts, PortsAreReadOnceEach) {
  EXPECT_THAT(read_ports("5432/tcp -> 0.0.0.0:49153\n5432/tcp -> [::]:49153\n53/udp -> 127.0.0.1:1053"),
              ElementsAre(Pair("5432", "49153"), Pair("53/udp", "1053")));
  EXPECT_THAT(read_ports("x\n/tcp -> :1\n80/tcp -> 0.0.0.0:99999\n-> /\n80 -> 1:1"), IsEmpty());
}

TEST(ContainerFacts, TheEnvironmentOfAnImageIsAListOfWords) {
  EXPECT_THAT(read_environment(R"(["PATH=/bin","A=b=c","PATH=/x","odd","=x",7])"),
              ElementsAre(Pair("PATH", "/bin"), Pair("A", "b=c")));
  EXPECT_THAT(read_environment("{}"), IsEmpty());
}

TEST(ContainerFacts, APortIsPublishedOnTheLoopbackUnlessItNamesAnAddress) {
  EXPECT_EQ(read_port_wish("80")->words(), "127.0.0.1::80/tcp");
  EXPECT_EQ(read_port_wish("8080:80")->words(), "127.0.0.1:8080:80/tcp");
  EXPECT_EQ(read_port_wish("0.0.0.0:53:53/udp")->words(), "0.0.0.0:53:53/udp");
  EXPECT_EQ(read_port_wish("8000-8010:9000-9010")->words(), "127.0.0.1:8000-8010:9000-9010/tcp");
  for (const char* wrong : {"", "x", "80/x", ":80", "80:", "70000", "1.2.3:80:80", "::1:80:80", "80 --privileged", "0"})
    EXPECT_FALSE(read_port_wish(wrong)) << wrong;
}

}  // namespace
}  // namespace headrace::runner
