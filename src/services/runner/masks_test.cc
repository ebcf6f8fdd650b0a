#include "services/runner/masks.h"

#include <gtest/gtest.h>

#include <random>

#include "core/bytes.h"

namespace headrace::runner {
namespace {

Masks masks_of(std::initializer_list<std::string_view> secrets) {
  Masks masks;
  for (auto secret : secrets) EXPECT_TRUE(masks.add(secret));
  return masks;
}

TEST(Masks, EveryOccurrenceOfASecretBecomesThreeStars) {
  auto masks = masks_of({"hunter2", "s3cr3t"});
  EXPECT_EQ(masks.masked("hunter2 says s3cr3t, hunter2hunter2; hunter"), "*** says ***, ***; hunter");
  EXPECT_EQ(masks.masked(""), "");
  EXPECT_EQ(masks.masked("nothing here"), "nothing here");
}

TEST(Masks, OverlappingAndTouchingSecretsBecomeOne) {
  auto masks = masks_of({"abcd", "cdef", "defg", "xyzx"});
  EXPECT_EQ(masks.masked("-abcdefg-"), "-***-");
  EXPECT_EQ(masks.masked("abcdabcd"), "***");
  EXPECT_EQ(masks.masked("xyzxyzx!"), "***!");
}

TEST(Masks, ASecretWithinAnotherIsHiddenToo) {
  auto masks = masks_of({"he", "she", "hers", "ushers-x"});
  EXPECT_EQ(masks.masked("ushers"), "u***");
  EXPECT_EQ(masks.masked("the shy"), "t*** shy");
}

TEST(Masks, ShortAndBlankOnes) {
  auto masks = masks_of({"", "  ", "\n", "q"});
  EXPECT_EQ(masks.masked("q a qq"), "*** a ***");
  EXPECT_EQ(masks.masked("  "), "  ");
}

TEST(Masks, EveryLineOfASecretIsHiddenOnItsOwn) {
  auto masks = masks_of({"-----BEGIN KEY-----\r\nMIIEabcdef\n}\nqrstuv\n-----END KEY-----\n"});
  EXPECT_EQ(masks.masked("> MIIEabcdef"), "> ***");
  EXPECT_EQ(masks.masked("qrstuv"), "***");
  EXPECT_EQ(masks.masked("-----BEGIN KEY-----"), "***");
  EXPECT_EQ(masks.masked("if (a) { b } }"), "if (a) { b } }") << "a line of one bracket hides nothing";
}

TEST(Masks, Base64IsHiddenWhateverStandsBeforeTheSecret) {
  auto masks = masks_of({"correct horse battery"});
  for (std::string before : {"", "u", "us", "use", "user:"}) {
    for (std::string after : {"", "!", "!!"}) {
      std::string bytes = before + "correct horse battery" + after;
      auto masked = masks.masked(core::to_base64(core::as_bytes(bytes)));
      EXPECT_NE(masked.find("***"), std::string::npos) << bytes;
      EXPECT_LT(masked.size(), 3 + 4 + before.size() * 2 + 8) << masked;
    }
  }
}

TEST(Masks, Base64IsHiddenWhereProgramsBreakItIntoLines) {
  const std::string secret = "hr_" + std::string(40, 'k') + "-0123456789_" + std::string(88, 'z');
  auto masks = masks_of({secret});
  for (size_t width : {size_t{64}, size_t{76}}) {
    for (std::string after : {"", "\n"}) {
      const std::string encoded = core::to_base64(core::as_bytes(secret + after));
      for (size_t at = 0; at < encoded.size(); at += width) {
        auto masked = masks.masked(encoded.substr(at, width));
        EXPECT_TRUE(masked.starts_with("***")) << width << " " << at;
        EXPECT_LE(masked.size(), 3U + 4U) << "but the padding, and what stands behind the secret";
      }
    }
  }
}

TEST(Masks, TheUrlAlphabetOfBase64IsHiddenToo) {
  std::string secret = "\xfb\xff\xfe?>>\xff\xee";
  auto masks = masks_of({secret});
  EXPECT_EQ(masks.masked("x" + core::to_base64url(core::as_bytes(secret))).substr(0, 4), "x***");
}

TEST(Masks, TheFormsThatProgramsPrintAreHidden) {
  auto masks = masks_of({"p@ss \"w<o>r'd&\\/x"});
  for (std::string_view form :
       {"p%40ss%20%22w%3Co%3Er%27d%26%5C%2Fx", "p%40ss%20%22w%3co%3er%27d%26%5c%2fx",
        "p%40ss%20%22w%3Co%3Er'd%26%5C%2Fx", "p%40ss+%22w%3Co%3Er%27d%26%5C%2Fx", "p%40ss%20%22w%3Co%3Er%27d%26%5C/x",
        R"(p@ss \"w<o>r'd&\\/x)", "p@ss &quot;w&lt;o&gt;r&apos;d&amp;\\/x", "p@ss &quot;w&lt;o&gt;r&#39;d&amp;\\/x",
        R"(p@ss "w<o>r'\''d&\/x)", R"(p@ss\ \"w\<o\>r\'d\&\\/x)"})
    EXPECT_EQ(masks.masked("<" + std::string(form) + ">"), "<***>") << form;
}

TEST(Masks, ALongSecretInOneJsonStringIsHiddenWithItsNewlines) {
  auto masks = masks_of({"line one\nline two\n"});
  EXPECT_EQ(masks.masked(R"({"key":"line one\nline two\n"})"), R"({"key":"***"})");
}

// The same text in any pieces gives the same result as in one.
TEST(Masks, PiecesAreMaskedAsTheWhole) {
  auto masks = masks_of({"abab", "babb", "aaaaaaab", "secret", "crets and more", "b"});
  std::mt19937 random(7);
  for (int round = 0; round < 2'000; ++round) {
    std::string text;
    for (int i = 0; i < 60; ++i) text += random() % 7 == 0 ? "secrets and more" : std::string(1, "abc"[random() % 3]);
    std::string out, held;
    Masks::Between between;
    for (size_t at = 0; at < text.size();) {
      size_t length = 1 + random() % 9;
      held += text.substr(at, length);
      at += length;
      size_t keep = masks.mask(held, between, at >= text.size(), out);
      held.erase(0, held.size() - keep);
    }
    ASSERT_EQ(out, masks.masked(text)) << "seed 7, round " << round << ": " << text;
  }
}

// Against the plainest way to do it.
TEST(Masks, AgreeWithASearchForEachSecret) {
  std::mt19937 random(11);
  for (int round = 0; round < 500; ++round) {
    std::vector<std::string> secrets;
    Masks masks;
    for (unsigned i = 0; i < 1 + random() % 6; ++i) {
      std::string secret;
      for (unsigned j = 0; j < 1 + random() % 3; ++j) secret += "ab"[random() % 2];
      secrets.push_back(secret);
      ASSERT_TRUE(masks.add(secret));
    }
    std::string text;
    for (int i = 0; i < 40; ++i) text += "abc"[random() % 3];
    std::vector<bool> hidden(text.size() + 1), joined(text.size() + 1);
    for (const auto& secret : secrets)
      for (size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at + 1))
        std::fill_n(hidden.begin() + static_cast<std::ptrdiff_t>(at), secret.size(), true);
    std::string wanted;
    for (size_t i = 0; i < text.size(); ++i) {
      if (!hidden[i]) wanted += text[i];
      if (hidden[i] && (i == 0 || !hidden[i - 1])) wanted += "***";
    }
    ASSERT_EQ(masks.masked(text), wanted) << "seed 11, round " << round << ": " << text;
  }
}

TEST(Masks, ManySecretsToldOneByOneAreAllHidden) {
  Masks masks;
  std::string text, wanted;
  for (int i = 0; i < 2'000; ++i) {
    std::string secret = "value-" + std::to_string(i * 7919) + "-end";
    ASSERT_TRUE(masks.add(secret));
    EXPECT_EQ(masks.masked(secret), "***");
    text += secret + " ";
    wanted += "*** ";
  }
  EXPECT_EQ(masks.masked(text), wanted);
}

TEST(Masks, TooLargeAndTooManyAreRefused) {
  Masks masks;
  auto large = masks.add(std::string(mask_secret_bytes_max + 1, 'x'));
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, core::Code::exhausted);
  core::Result<> added;
  for (int i = 0; i < 10'000 && added; ++i) added = masks.add(std::to_string(i) + std::string(2'000, '/'));
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, core::Code::exhausted);
}

TEST(Masks, TellWhetherAValueHoldsASecret) {
  auto masks = masks_of({"hunter2"});
  EXPECT_TRUE(masks.holds_secret("a hunter2 b"));
  EXPECT_FALSE(masks.holds_secret("a hunter b"));
}

}  // namespace
}  // namespace headrace::runner
