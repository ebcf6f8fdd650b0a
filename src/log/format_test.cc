// The bytes on disk: every encoding is read back exactly, and docs/log-format.md shows what is really written.
#include "log/format.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "core/bytes.h"
#include "log/index.h"
#include "log/record.h"
#include "log/scan.h"
#include "log/siphash.h"
#include "log/testing/world.h"

namespace headrace::log {
namespace {

using ::testing::ElementsAre;

events::Event full_event() {
  events::Event event;
  event.id = "0193581e-7a00-7abc-8def-0123456789ab";
  event.source = "/headrace/team/hello";
  event.type = "dev.cdevents.change.merged.0.2.0";
  event.subject = "change/7";
  event.time = core::Time(core::Duration(1'700'000'000'123'456'789));
  event.datacontenttype = "application/json";
  event.dataschema = "https://example.org/schema";
  event.extensions["actor"] = std::string("user:alice");
  event.extensions["attempt"] = int32_t{-2};
  event.extensions["dry"] = true;
  event.extensions["wet"] = false;
  event.extensions["empty"] = std::string();
  event.extensions["causationid"] = std::string("0193581e-7a00-7abc-8def-0123456789ac");
  event.data = "{\"a\":1}";
  event.has_data = true;
  return event;
}

core::Result<events::Event> round_trip(const events::Event& event) {
  std::string bytes;
  auto size = encode_event(event, bytes);
  ByteView all = core::as_bytes(bytes);
  return decode_event(all.first(size.attributes), all.subspan(size.attributes), event.has_data);
}

TEST(LogRecord, GivesTheExactEventBack) {
  EXPECT_EQ(*round_trip(full_event()), full_event());
  EXPECT_EQ(*round_trip({}), events::Event());
  events::Event odd;
  odd.id = std::string("\0\xff id", 5);
  odd.source = "0193581E-7A00-7ABC-8DEF-0123456789AB";  // upper case: not packed, or it would come back in lower case
  odd.type = "dev.cdeventsx.headrace-";
  odd.subject = "application/jsonx";
  odd.time = core::Time(core::Duration(-1));
  odd.has_data = true;
  odd.extensions[std::string(300, 'n')] = std::string(70'000, 'v');
  EXPECT_EQ(*round_trip(odd), odd);
}

TEST(LogRecord, EveryCutOfAttributesIsRefusedOrAnotherEvent) {
  std::string bytes;
  auto size = encode_event(full_event(), bytes);
  for (size_t cut = 0; cut < size.attributes; ++cut) {
    auto event = decode_event(core::as_bytes(bytes).first(cut), {}, true);
    if (event) {
      EXPECT_NE(*event, full_event());
    }
  }
}

TEST(LogRecord, IdentityIsTheBeginningOfAnEventAndTheTypeFollows) {
  std::string bytes;
  auto size = encode_event(full_event(), bytes);
  auto fields = fields_of(core::as_bytes(bytes).first(size.attributes));
  ASSERT_TRUE(fields);
  EXPECT_EQ(text_of(fields->identity), encode_identity(full_event().source, full_event().id));
  EXPECT_EQ(fields->identity.size(), size.identity);
  EXPECT_EQ(text_of(fields->type), encode_type(full_event().type));
  EXPECT_EQ(decode_type(fields->type), full_event().type);
  EXPECT_EQ(id_milliseconds(fields->identity), 0x0193581e7a00U);
  EXPECT_EQ(id_milliseconds(core::as_bytes(encode_identity("/s", "0193581e-7a00-4abc-8def-0123456789ab"))), 0U);
  EXPECT_EQ(id_milliseconds(core::as_bytes(encode_identity("/s", "plain"))), 0U);
}

// SipHash-2-4 reference vectors: key 00..0f, input 00..n-1 (Aumasson and Bernstein, appendix A, for n = 15).
TEST(LogSipHash, GivesTheValueOfThePaper) {
  std::string input;
  for (int i = 0; i < 15; ++i) input.push_back(static_cast<char>(i));
  EXPECT_EQ(siphash({0x0706050403020100U, 0x0f0e0d0c0b0a0908U}, core::as_bytes(input)), 0xa129ca6149be45e5U);
}

TEST(LogFormat, HeadersAreReadBackAndEveryFlippedByteIsSeen) {
  SegmentHeader segment{
      .first_offset = 7, .first_batch = 3, .epoch = 0x1122334455667788, .created = core::Time(core::Duration(99))};
  auto page = encode(segment);
  ASSERT_TRUE(decode_segment_header(page));
  EXPECT_EQ(decode_segment_header(page)->epoch, segment.epoch);
  EXPECT_EQ(decode_segment_header(page)->created, segment.created);
  for (size_t i = 0; i < page.size(); ++i) {
    page[i] ^= std::byte{1};
    EXPECT_FALSE(decode_segment_header(page)) << i;
    page[i] ^= std::byte{1};
  }
  BatchHeader batch{.kind = BatchKind::events,
                    .number = 4,
                    .first_offset = 9,
                    .time = core::Time(core::Duration(5)),
                    .length = 10,
                    .payload_sum = 11,
                    .events = 12};
  std::string bytes(batch_header_bytes, '\0');
  encode(batch, 77, bytes.data());
  ASSERT_TRUE(decode_batch_header(core::as_bytes(bytes), 77));
  EXPECT_FALSE(decode_batch_header(core::as_bytes(bytes), 78)) << "of another segment";
  for (char& byte : bytes) {
    byte = static_cast<char>(byte ^ 1);
    EXPECT_FALSE(decode_batch_header(core::as_bytes(bytes), 77));
    byte = static_cast<char>(byte ^ 1);
  }
}

TEST(LogFormat, CommitsAreReadBack) {
  Commit commit;
  commit.events = 2;
  commit.key = "job:build/2";
  commit.expected = {"ids", "numbers/team/hello"};
  commit.offsets = {4, 1, 5};
  auto back = decode_commit(core::as_bytes(encode(commit)));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->key, commit.key);
  EXPECT_EQ(back->expected, commit.expected);
  EXPECT_THAT(back->all_offsets(4), ElementsAre(4, 1, 5));
  commit.offsets.clear();
  EXPECT_THAT(decode_commit(core::as_bytes(encode(commit)))->all_offsets(4), ElementsAre(4, 5));
}

TEST(LogIndex, IsReadBackAndEveryFlippedByteIsSeen) {
  SegmentIndex index(1);
  std::string bytes(item_header_bytes, '\0');
  auto size = encode_event(full_event(), bytes);
  bytes.resize(aligned(bytes.size(), item_alignment));
  for (uint64_t i = 0; i < 50; ++i) {
    ItemHeader header{.offset = i + 1, .attributes = size.attributes};
    header.length = static_cast<uint32_t>(bytes.size() - item_header_bytes);
    index.note({header, core::as_bytes(bytes).subspan(item_header_bytes)}, 4096 + i * 1000,
               core::Time(core::Duration(i)));
  }
  std::string saved = index.encode();
  auto back = SegmentIndex::decode(core::as_bytes(saved));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->last(), 50U);
  EXPECT_EQ(back->before(Offset{30})->position, index.before(Offset{30})->position);
  EXPECT_TRUE(back->may_have({encode_type(full_event().type)}, 50));
  EXPECT_FALSE(back->may_have({encode_type("other")}, 1));
  for (size_t i = 0; i < saved.size(); ++i) {
    saved[i] = static_cast<char>(saved[i] ^ 4);
    EXPECT_FALSE(SegmentIndex::decode(core::as_bytes(saved))) << i;
    saved[i] = static_cast<char>(saved[i] ^ 4);
  }
}

// The worked example of docs/log-format.md: one event appended to a new log, and the seal behind it.
std::string dump(ByteView bytes, uint64_t from) {
  std::string text;
  for (size_t line = 0; line < bytes.size(); line += 16) {
    text += fmt::format("{:08x}", from + line);
    for (size_t i = line; i < std::min(line + 16, bytes.size()); ++i)
      text += fmt::format(" {:02x}", std::to_integer<unsigned>(bytes[i]));
    text += '\n';
  }
  return text;
}

TEST(LogFormat, ThePageShowsTheBytesThatAreWritten) {
  testing::World world(1);
  {
    auto log = world.open();
    events::Event event;
    event.id = "0193581e-7a00-7abc-8def-0123456789ab";
    event.source = "/headrace/team/hello";
    event.type = "dev.cdevents.change.merged.0.2.0";
    event.datacontenttype = "application/json";
    event.data = "{}";
    event.has_data = true;
    Batch batch = testing::batch_of({event});
    batch.key = "k";
    ASSERT_TRUE(testing::append(*log, batch));
  }
  auto bytes = core::read_file(*world.disk, "/log/00000000000000000001.seg");
  ASSERT_TRUE(bytes);
  ByteView all = core::as_bytes(*bytes);
  std::string example =
      dump(all.first(48), 0) + "*\n" + dump(all.subspan(segment_header_bytes - 16), segment_header_bytes - 16);
  std::ifstream in("docs/log-format.md");
  std::stringstream page;
  page << in.rdbuf();
  EXPECT_THAT(page.str(), ::testing::HasSubstr("```\n" + example + "```\n")) << "docs/log-format.md should show:\n"
                                                                             << example;
}

}  // namespace
}  // namespace headrace::log
