#include "net/ws_frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::net {
namespace {

constexpr MaskKey key{0x37, 0xfa, 0x21, 0x3d};

std::string frame(Opcode opcode, std::string_view payload, bool masked) {
  Buffer buffer;
  append_frame(buffer, opcode, payload, masked ? std::optional(key) : std::nullopt);
  return std::string(buffer.view());
}

TEST(WebSocketFrame, LooksLikeTheExamplesOfTheRfc) {  // RFC 6455, section 5.7
  EXPECT_EQ(frame(Opcode::text, "Hello", false), "\x81\x05Hello");
  EXPECT_EQ(frame(Opcode::text, "Hello", true), "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
  EXPECT_EQ(frame(Opcode::binary, std::string(256, 'x'), false).substr(0, 4), std::string("\x82\x7e\x01\x00", 4));
  EXPECT_EQ(frame(Opcode::binary, std::string(65536, 'x'), false).substr(0, 10),
            std::string("\x82\x7f\0\0\0\0\0\x01\0\0", 10));
}

// What a reader makes of the bytes, given so many at a time.
std::string read_all(Role role, std::string_view bytes, size_t step, size_t max = 1000) {
  MessageReader reader(role, max);
  Buffer in;
  std::string heard;
  while (true) {
    auto item = reader.next(in);
    if (!item) return heard + "!" + std::to_string(static_cast<int>(item.error().code));
    if (item->has_value()) {
      heard += std::to_string(static_cast<int>((*item)->kind)) + ":" + (*item)->data + " ";
    } else {
      if (bytes.empty()) return heard;
      in.append(bytes.substr(0, step));
      bytes.remove_prefix(std::min(step, bytes.size()));
    }
  }
}

TEST(WebSocketFrame, FragmentsAreOneMessageAndControlMayComeBetween) {
  const std::string bytes = std::string("\x01\x03Hel", 5) + frame(Opcode::ping, "p", false) +
                            std::string("\x80\x02lo", 4) + frame(Opcode::binary, std::string(300, 'b'), false) +
                            frame(Opcode::pong, "", false);
  const std::string heard = "9:p 1:Hello 2:" + std::string(300, 'b') + " 10: ";
  for (size_t step = 1; step <= bytes.size(); ++step)
    EXPECT_EQ(read_all(Role::client, bytes, step), heard) << step << " at a time";
}

TEST(WebSocketFrame, IsUnmaskedHoweverItIsCut) {
  const std::string text = "0123456789abcdefghijklmnop";
  const std::string bytes = frame(Opcode::text, text, true);
  for (size_t step = 1; step <= bytes.size(); ++step) EXPECT_EQ(read_all(Role::server, bytes, step), "1:" + text + " ");
}

TEST(WebSocketFrame, RefusesWhatTheRfcForbids) {
  const auto heard = [](Role role, std::string bytes) { return read_all(role, bytes, bytes.size()); };
  EXPECT_EQ(heard(Role::server, frame(Opcode::text, "a", false)), "!1002") << "unmasked from a client";
  EXPECT_EQ(heard(Role::client, frame(Opcode::text, "a", true)), "!1002") << "masked from a server";
  EXPECT_EQ(heard(Role::client,
                  "\xc1\x01"
                  "a"),
            "!1002")
      << "a reserved bit";
  EXPECT_EQ(heard(Role::client,
                  "\x83\x01"
                  "a"),
            "!1002")
      << "an unknown opcode";
  EXPECT_EQ(heard(Role::client,
                  "\x8b\x01"
                  "a"),
            "!1002")
      << "an unknown control opcode";
  EXPECT_EQ(heard(Role::client, std::string("\x09\x00", 2)), "!1002") << "a ping in fragments";
  EXPECT_EQ(heard(Role::client, std::string("\x89\x7e\x00\x7e", 4)), "!1002") << "a ping of 126 bytes";
  EXPECT_EQ(heard(Role::client, std::string("\x80\x01"
                                            "a",
                                            3)),
            "!1002")
      << "a continuation of nothing";
  EXPECT_EQ(heard(Role::client, std::string("\x01\x01"
                                            "a\x81\x01"
                                            "b",
                                            6)),
            "!1002")
      << "a message within a message";
  EXPECT_EQ(heard(Role::client, std::string("\x82\x7e\x00\x05hello", 9)), "!1002") << "a length in a longer form";
  EXPECT_EQ(heard(Role::client, std::string("\x82\x7f\x80\0\0\0\0\0\0\0", 10)), "!1002") << "a length of 64 bits";
  EXPECT_EQ(heard(Role::client, "\x81\x02\xc3\x28"), "!1007") << "text that is no UTF-8";
  EXPECT_EQ(heard(Role::client, frame(Opcode::binary, std::string(1001, 'x'), false)), "!1009") << "too large";
  EXPECT_EQ(heard(Role::client, std::string("\x02\x7e\x03\xe8", 4) + std::string(1000, 'x') + "\x80\x01x"), "!1009")
      << "too large in sum";
  EXPECT_EQ(heard(Role::client, std::string("\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", 10)), "!1009")
      << "told before it comes";
}

TEST(WebSocketFrame, TextMayBeCutWithinACharacter) {
  EXPECT_EQ(read_all(Role::client, std::string("\x01\x01\xc3\x80\x01\xa4", 6), 1), "1:\xc3\xa4 ");
}

TEST(WebSocketFrame, CloseCodesAreChecked) {
  EXPECT_EQ(parse_close("")->code, CloseCode::no_code);
  auto notice = parse_close(close_payload(CloseCode::going_away, "bye"));
  ASSERT_TRUE(notice);
  EXPECT_EQ(notice->code, CloseCode::going_away);
  EXPECT_EQ(notice->reason, "bye");
  for (int code : {0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535})
    EXPECT_FALSE(parse_close(std::string{static_cast<char>(code >> 8), static_cast<char>(code & 255)})) << code;
  for (int code : {1000, 1003, 1007, 1011, 3000, 4999})
    EXPECT_TRUE(parse_close(std::string{static_cast<char>(code >> 8), static_cast<char>(code & 255)})) << code;
  EXPECT_FALSE(parse_close("x"));
  EXPECT_EQ(parse_close("\x03\xe8\xff").error().code, CloseCode::bad_data);
  const std::string cut = close_payload(CloseCode::normal, std::string(122, 'a') + "\xc3\xa4");
  EXPECT_EQ(cut.size(), 124u) << "cut before the character that does not fit";
}

}  // namespace
}  // namespace headrace::net
