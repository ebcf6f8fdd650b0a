#include "net/body.h"

#include <gtest/gtest.h>

#include <array>

namespace headrace::net {
namespace {

// Everything that comes out, given so many bytes at a time, with room for so many; the rest of the input in `rest`.
std::optional<std::string> decode(Framing framing, std::string_view input, size_t step, size_t room,
                                  std::string* rest = nullptr) {
  BodyDecoder decoder(framing);
  std::string out, held;
  std::array<std::byte, 64> into;
  while (!decoder.done() && !(input.empty() && held.empty())) {
    const size_t take = std::min(step, input.size());
    held.append(input.substr(0, take));
    input.remove_prefix(take);
    auto done = decoder.decode(held, std::span(into).first(room));
    if (!done) return std::nullopt;
    out.append(reinterpret_cast<const char*>(into.data()), done->produced);
    held.erase(0, done->consumed);
    if (take == 0 && done->consumed == 0) break;
  }
  if (rest) *rest = held + std::string(input);
  if (!decoder.done()) return std::nullopt;
  return out;
}

constexpr Framing chunked{Framing::Kind::chunked, 0};

TEST(Body, ComesOutOfItsChunksHoweverTheyAreCut) {
  const std::string input =
      "5\r\nhello\r\n00A;name=value;q=\"x\"\r\n0123456789\r\n1 ;late\r\n!\r\n0\r\nTrailer: x\r\nOther: y\r\n\r\nGET "
      "/next";
  for (size_t step = 1; step <= input.size(); ++step) {
    for (size_t room : {1u, 3u, 64u}) {
      std::string rest;
      EXPECT_EQ(decode(chunked, input, step, room, &rest), "hello0123456789!") << step << " at a time";
      EXPECT_EQ(rest, "GET /next");
    }
  }
}

TEST(Body, RefusesBrokenChunks) {
  for (std::string input : {"\r\n", "x\r\n", "-1\r\n", "0x5\r\nhello\r\n", "5\nhello\n0\n\n", "5\r\nhello!\r\n",
                            "5\r\nhello\n", "5 \r\nhello\r\n", "5;a\rb\r\nhello\r\n", "fffffffffffffffff\r\n",
                            "0\r\nnonsense\r\n\r\n", "0\r\n folded\r\n\r\n", "0\r\nA : b\r\n\r\n"}) {
    EXPECT_FALSE(decode(chunked, input, 1, 64)) << input;
    EXPECT_FALSE(decode(chunked, input, input.size(), 64)) << input;
  }
}

TEST(Body, BoundsExtensionsAndTrailers) {
  EXPECT_FALSE(decode(chunked, "1;" + std::string(BodyDecoder::chunk_line_max, 'a') + "\r\nx\r\n0\r\n\r\n", 1000, 64));
  std::string trailers = "0\r\n";
  for (int i = 0; i < 10; ++i) trailers += "X: " + std::string(1000, 'a') + "\r\n";
  EXPECT_FALSE(decode(chunked, trailers + "\r\n", 1000, 64));
}

TEST(Body, EndsAtItsLength) {
  std::string rest;
  EXPECT_EQ(decode({Framing::Kind::length, 5}, "hellonext", 3, 2, &rest), "hello");
  EXPECT_EQ(rest, "next");
  EXPECT_FALSE(decode({Framing::Kind::length, 5}, "hell", 3, 2)) << "not yet whole";
}

TEST(Body, ToldByTheEndOfTheConnectionEndsThereOnly) {
  BodyDecoder decoder({Framing::Kind::until_close, 0});
  EXPECT_FALSE(decoder.done());
  EXPECT_TRUE(decoder.end_of_stream());
  EXPECT_TRUE(decoder.done());
  BodyDecoder counted({Framing::Kind::length, 1});
  EXPECT_FALSE(counted.end_of_stream());
}

}  // namespace
}  // namespace headrace::net
