#include "process/egress_frames.h"

#include <gtest/gtest.h>

#include <string>

#include "core/bytes.h"

namespace headrace::process {
namespace {

// RFC 826, as Linux asks: who has `asked`, tell 10.0.2.100 at 02:00:00:00:00:07.
std::string question(const std::string& asked) {
  using namespace std::string_literals;
  return "\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x07"s + "\x08\x06"s + "\0\x01\x08\0\x06\x04\0\x01"s +
         "\x02\0\0\0\0\x07\x0a\0\x02\x64"s + "\0\0\0\0\0\0"s + asked;
}
std::string answered(std::string_view frame) {
  auto answer = answer_to(core::as_bytes(frame));
  if (!answer) return {};
  return {reinterpret_cast<const char*>(answer->data()), answer->size()};
}

TEST(EgressFrames, TheGatewayIsWhereSlirp4netnsWillSayItIs) {
  using namespace std::string_literals;
  EXPECT_EQ(answered(question("\x0a\0\x02\x02"s)),
            "\x02\0\0\0\0\x07\x52\x55\x0a\0\x02\x02"s + "\x08\x06"s + "\0\x01\x08\0\x06\x04\0\x02"s +
                "\x52\x55\x0a\0\x02\x02\x0a\0\x02\x02"s + "\x02\0\0\0\0\x07\x0a\0\x02\x64"s);
  EXPECT_EQ(answered(question("\x0a\0\x02\x03"s)).substr(6, 6), "\x52\x55\x0a\0\x02\x03"s);
}

TEST(EgressFrames, NobodyElseIsThere) {
  using namespace std::string_literals;
  EXPECT_EQ(answered(question("\x0a\0\x02\x64"s)), "");  // the job itself: it asks whether somebody else has it
  EXPECT_EQ(answered(question("\x0a\0\x02\x04"s)), "");
  EXPECT_EQ(answered(question("\x0a\0\x03\x02"s)), "");
}

TEST(EgressFrames, ACutOrStrangeFrameIsNotAnswered) {
  using namespace std::string_literals;
  const std::string whole = question("\x0a\0\x02\x02"s);
  for (size_t size = 0; size < whole.size(); ++size) EXPECT_EQ(answered(whole.substr(0, size)), "") << size;
  for (size_t at = 12; at < 22; ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] + 1);
    EXPECT_EQ(answered(changed), "") << at;
  }
}

TEST(EgressFrames, OnlyVersion4GoesOut) {
  using namespace std::string_literals;
  EXPECT_TRUE(is_internet(core::as_bytes(std::string(12, 'x') + "\x08\0E"s)));
  EXPECT_FALSE(is_internet(core::as_bytes(std::string(12, 'x') + "\x86\xdd`"s)));
  EXPECT_FALSE(is_internet(core::as_bytes(std::string(13, '\x08'))));
  EXPECT_FALSE(is_internet({}));
}

}  // namespace
}  // namespace headrace::process
