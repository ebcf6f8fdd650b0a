#include "git/pkt_line.h"

#include <gmock/gmock.h>

#include <array>
#include <cstring>

#include "core/bytes.h"
#include "git/body.h"

namespace headrace::git {
namespace {

using core::Code;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string zero(40, '0');
const std::string one(40, '1');
const std::string two(40, '2');

std::string command(const std::string& from, const std::string& to, const std::string& rest) {
  return to_packet(from + " " + to + " " + rest);
}

TEST(PktLine, ReadsWhatItWrites) {
  const auto wire = to_packet("hello\n");
  EXPECT_EQ(wire, "000ahello\n");
  const auto longer = wire + "more";
  const auto packet = first_packet(longer);
  ASSERT_TRUE(packet && *packet);
  EXPECT_EQ((*packet)->text, "hello\n");
  EXPECT_EQ((*packet)->bytes, wire.size());
  EXPECT_EQ((*first_packet("0000"))->kind, Packet::Kind::flush);
  EXPECT_EQ((*first_packet("0001"))->kind, Packet::Kind::delimiter);
  EXPECT_EQ((*first_packet("0002"))->kind, Packet::Kind::response_end);
  EXPECT_EQ(*first_packet("000ahell"), std::nullopt);
  EXPECT_EQ(*first_packet("00"), std::nullopt);
}

TEST(PktLine, RefusesLengthsThatAreNone) {
  for (const auto* bad : {"zzzz", "0003", "-001", "fffff", "PACK"}) EXPECT_FALSE(first_packet(bad)) << bad;
}

TEST(PushHead, HoldsChangesCapabilitiesAndOptionsHoweverItIsCut) {
  const std::string wire =
      command(one, two, "refs/heads/main" + std::string(1, '\0') + " report-status push-options agent=x") +
      command(two, zero, "refs/heads/old\n") + "0000" + to_packet("ci.skip\n") + "0000" + "PACKrest";
  for (size_t piece = 1; piece <= wire.size(); piece += 7) {
    PushHeadReader reader(10);
    bool whole = false;
    for (size_t begin = 0; begin < wire.size() && !whole; begin += piece) {
      const auto fed = reader.feed(std::string_view(wire).substr(begin, piece));
      ASSERT_TRUE(fed) << fed.error().message;
      whole = *fed;
    }
    ASSERT_TRUE(whole);
    EXPECT_THAT(reader.head().changes,
                ElementsAre(RefChange{"refs/heads/main", one, two}, RefChange{"refs/heads/old", two, zero}));
    EXPECT_THAT(reader.head().options, ElementsAre("ci.skip"));
    EXPECT_THAT(reader.head().capabilities, ElementsAre("report-status", "push-options", "agent=x"));
    EXPECT_TRUE(reader.head().wants_pack());
    EXPECT_EQ(wire.substr(reader.consumed(), 4), "PACK");
  }
}

core::Error refused(const std::string& wire, size_t commands_max = 10) {
  PushHeadReader reader(commands_max);
  const auto fed = reader.feed(wire);
  EXPECT_FALSE(fed) << wire;
  return fed ? core::Error{} : fed.error();
}

TEST(PushHead, ANameThatCouldSmuggleALineIntoAHookIsRefused) {
  EXPECT_EQ(refused(command(zero, one, "refs/heads/a\nend") + "0000").code, Code::invalid);
  EXPECT_EQ(refused(command(zero, one, "refs/heads/a..b") + "0000").code, Code::invalid);
}

TEST(PushHead, WhatGitWouldNotSendIsRefused) {
  EXPECT_EQ(refused("zzzz").code, Code::invalid);
  EXPECT_EQ(refused(to_packet("hello") + "0000").code, Code::invalid);
  EXPECT_EQ(refused(command(zero, "XYZ", "refs/heads/a") + "0000").code, Code::invalid);
  EXPECT_EQ(refused("0001").code, Code::invalid);
  EXPECT_THAT(refused(to_packet("push-cert\n")).message, HasSubstr("--signed"));
  EXPECT_THAT(refused(command(zero, one, "refs/heads/a") + command(zero, two, "refs/heads/a") + "0000").message,
              HasSubstr("twice"));
  EXPECT_EQ(refused(command(zero, one, "refs/heads/a") + command(zero, one, "refs/heads/b"), 1).code, Code::exhausted);
}

// What `read` gives of these parts, one a call.
struct Parts {
  std::vector<std::string> parts;
  size_t next = 0;
};
core::Task<core::Result<size_t>> give(Parts& parts, std::span<std::byte> bytes) {
  if (parts.next == parts.parts.size()) co_return size_t{0};
  const auto& part = parts.parts[parts.next++];
  std::memcpy(bytes.data(), part.data(), part.size());
  co_return part.size();
}

core::Result<std::string> read_body(Parts parts, bool gzip, uint64_t bytes_max) {
  core::Loop loop;
  Body body([&parts](std::span<std::byte> bytes) { return give(parts, bytes); }, gzip, bytes_max);
  std::string text;
  std::array<std::byte, 1000> buffer;
  for (;;) {
    const auto count = loop.run(body.read(buffer));
    if (!count) return std::unexpected(count.error());
    if (*count == 0) return text;
    text.append(reinterpret_cast<const char*>(buffer.data()), *count);
  }
}

// 5,000 times "a".
const std::string packed = *core::from_base64("H4sIAAAAAAACA+3BMQEAAADCoKzrX8IUfkABAAAAAG8Ddln0TIgTAAA=");

TEST(Body, IsBounded) {
  EXPECT_EQ(*read_body({{"one", "two"}}, false, 6), "onetwo");
  EXPECT_EQ(read_body({{"one", "two"}}, false, 5).error().code, Code::exhausted);
}

TEST(Body, UnpacksGzipHoweverItIsCut) {
  const std::string wanted(5000, 'a');
  for (size_t piece = 1; piece <= packed.size(); ++piece) {
    Parts parts;
    for (size_t begin = 0; begin < packed.size(); begin += piece) parts.parts.push_back(packed.substr(begin, piece));
    EXPECT_EQ(*read_body(parts, true, 5000), wanted) << piece;
  }
  EXPECT_EQ(read_body({{packed}}, true, 4999).error().code, Code::exhausted);
}

TEST(Body, DamagedOrCutGzipIsRefused) {
  EXPECT_EQ(read_body({{"this is no gzip"}}, true, 5000).error().code, Code::invalid);
  EXPECT_EQ(read_body({{packed.substr(0, packed.size() - 9)}}, true, 5000).error().code, Code::invalid);
}

TEST(Body, WhatWasPutBackComesFirst) {
  core::Loop loop;
  Parts parts{{"rest"}};
  Body body([&parts](std::span<std::byte> bytes) { return give(parts, bytes); }, false, 4);
  body.put_back("head");
  std::array<std::byte, 3> buffer;
  EXPECT_EQ(*loop.run(body.read(buffer)), 3u);
  EXPECT_EQ(*loop.run(body.read(buffer)), 1u);
  EXPECT_EQ(static_cast<char>(buffer[0]), 'd');
}

}  // namespace
}  // namespace headrace::git
