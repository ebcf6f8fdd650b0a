#include "core/json_text.h"

#include <gtest/gtest.h>

#include "core/json.h"

namespace headrace::core {
namespace {

TEST(JsonText, PutsCommasBetweenMembersAndItemsAlone) {
  JsonText text;
  text.begin_object().key("a").begin_array().value(int64_t{-1}).null().value(true).begin_object().end_object();
  text.end_array().key("b").value("").key("c").begin_object().key("d").value(false).end_object().end_object();
  EXPECT_EQ(text.take(), R"({"a":[-1,null,true,{}],"b":"","c":{"d":false}})");
  EXPECT_EQ(text.text(), "");
}

TEST(JsonText, TakesInWhatIsJsonAlready) {
  JsonText text;
  text.begin_array().raw("{\"a\":1}").raw("2").end_array();
  EXPECT_EQ(text.text(), "[{\"a\":1},2]");
}

TEST(JsonText, WritesStringsAsTheParserReadsThem) {
  std::string all;
  for (int c = 0; c < 128; ++c) all.push_back(static_cast<char>(c));
  all += "\u00e9\u20ac\U0001F600";
  for (const std::string& string : {all, std::string("\"\\/{[:"), std::string(), std::string(3, '\0')}) {
    JsonText alone;
    alone.value(string);
    auto read = parse_json(alone.text());
    ASSERT_TRUE(read) << alone.text();
    EXPECT_EQ(read->get_string(), string);
    EXPECT_EQ(alone.text(), to_text(*read)) << "as the tree is written";
  }
}

}  // namespace
}  // namespace headrace::core
