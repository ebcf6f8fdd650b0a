#include "core/bytes.h"

#include <gtest/gtest.h>

namespace headrace::core {
namespace {

TEST(Hex, IsLowerCaseAndTwoDigitsAByte) {
  EXPECT_EQ(to_hex(as_bytes(std::string_view("\x00\x0f\xf0\xff", 4))), "000ff0ff");
  EXPECT_EQ(to_hex({}), "");
}

// RFC 4648, section 10.
TEST(Base64, KeepsTheTestVectorsOfItsRule) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(to_base64(as_bytes(plain)), encoded);
    EXPECT_EQ(from_base64(encoded), plain);
  }
}

TEST(Base64, OfUrlsHasItsOwnAlphabetAndNoPadding) {
  const std::string_view bytes("\xfb\xff\xfe\x3e", 4);
  EXPECT_EQ(to_base64(as_bytes(bytes)), "+//+Pg==");
  EXPECT_EQ(to_base64url(as_bytes(bytes)), "-__-Pg");
  EXPECT_EQ(from_base64("+//+Pg=="), bytes);
  EXPECT_EQ(from_base64("-__-Pg"), bytes);
}

TEST(Base64, RefusesWhatNoEncoderWrites) {
  for (const char* text :
       {"Z", "Zm9vY", "Zg=", "Zm9v=", "Zm9v==", "Z===", "====", "=", "Zm 9v", "Zm9\n", "Zm9*", "=Zm9"})
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
}

// Unicode 15, table 3-7, and RFC 3629, section 4.
TEST(Utf8, AcceptsTheFirstAndTheLastOfEveryLength) {
  for (const char* text : {"", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"})
    EXPECT_TRUE(is_utf8(text)) << to_hex(as_bytes(text));
  EXPECT_TRUE(is_utf8(std::string_view("\0", 1)));
}

TEST(Utf8, RefusesOverlongSurrogateCutAndBeyondTheEnd) {
  for (const char* text : {"\x80", "\xbf", "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                           "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xc2", "\xe2\x82", "\xf0\x9f\x98",
                           "a\xc2"
                           "a",
                           "\xe2\x28\xa1"})
    EXPECT_FALSE(is_utf8(text)) << to_hex(as_bytes(text));
}

TEST(Utf8, FindsABadByteWhereverItStandsInALongText) {
  for (size_t length = 0; length < 40; ++length) {
    for (size_t place = 0; place <= length; ++place) {
      std::string text(length, 'a');
      EXPECT_TRUE(is_utf8(std::string(text).insert(place, "\u20ac"))) << length << " " << place;
      EXPECT_FALSE(is_utf8(text.insert(place, 1, '\xe2'))) << length << " " << place;
    }
  }
}

TEST(Utf8, IsMadeValidByteForByteAndOtherwiseLeftAlone) {
  EXPECT_EQ(to_valid_utf8("plain\nwords \xc3\xa9 \xf0\x9f\x8c\x8a"), "plain\nwords \xc3\xa9 \xf0\x9f\x8c\x8a");
  EXPECT_EQ(to_valid_utf8("a\xff"
                          "b"),
            "a\xef\xbf\xbd"
            "b");
  EXPECT_EQ(to_valid_utf8("\xe2\x82"), "\xef\xbf\xbd\xef\xbf\xbd");      // cut in the middle
  EXPECT_EQ(to_valid_utf8("\xe2\x82\n"), "\xef\xbf\xbd\xef\xbf\xbd\n");  // the line break stays
  EXPECT_EQ(to_valid_utf8("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd");      // overlong
  for (int byte = 0; byte < 256; ++byte)
    EXPECT_TRUE(is_utf8(to_valid_utf8(std::string(3, static_cast<char>(byte))))) << byte;
}

// RFC 3720, appendix B.4.
TEST(Crc32c, KeepsTheTestVectorsOfItsRule) {
  EXPECT_EQ(crc32c(as_bytes(std::string(32, '\0'))), 0x8a9136aaU);
  EXPECT_EQ(crc32c(as_bytes(std::string(32, '\xff'))), 0x62a8ab43U);
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xe3069283U);
  EXPECT_EQ(crc32c({}), 0U);
}

TEST(Crc32c, ContinuesFromAnEarlierSumWhereverTheTextIsCut) {
  const std::string text = "a headrace is the channel that carries a stream to the wheel";
  const auto whole = crc32c(as_bytes(text));
  for (size_t cut = 0; cut <= text.size(); ++cut)
    EXPECT_EQ(crc32c(as_bytes(text.substr(cut)), crc32c(as_bytes(text.substr(0, cut)))), whole) << cut;
}

// FIPS 180-4 and NIST's examples.
TEST(Sha256, KeepsTheTestVectorsOfItsRule) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Secrets, AreComparedByAllTheirBytes) {
  EXPECT_TRUE(equal_constant_time("", ""));
  EXPECT_TRUE(equal_constant_time("token", "token"));
  EXPECT_FALSE(equal_constant_time("token", "tokem"));
  EXPECT_FALSE(equal_constant_time("token", "Token"));
  EXPECT_FALSE(equal_constant_time("token", "toke"));
}

}  // namespace
}  // namespace headrace::core
