#include "events/cloudevents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/bytes.h"
#include "core/random.h"

namespace headrace::events {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

Event sale() {
  Event event;
  event.id = "A234-1234-1234";
  event.source = "https://shop.example/orders";
  event.type = "com.example.sale";
  event.subject = "order 17";
  event.time = *core::parse_time("2026-11-23T07:16:00.123456789Z");
  event.datacontenttype = "application/json; charset=utf-8";
  event.dataschema = "https://shop.example/schema/sale";
  event.extensions = {{"actor", "user:alice"}, {"retry", false}, {"sampledrate", -30}};
  event.data = R"({"price": 12.50, "big": 12345678901234567890123, "note": "\u00e9"})";
  event.has_data = true;
  return event;
}

Problems problems_of(std::string_view text) {
  auto event = read_structured(text);
  return event ? Problems{} : event.error();
}

std::vector<std::string> places(const Problems& problems) {
  std::vector<std::string> pointers;
  for (const auto& problem : problems) pointers.push_back(problem.pointer);
  return pointers;
}

constexpr std::string_view least = R"("specversion":"1.0","id":"1","source":"/a","type":"t")";
std::string with(std::string_view more) { return "{" + std::string(least) + "," + std::string(more) + "}"; }

TEST(Structured, WritesAttributesInOneOrderAndDataAsItCame) {
  EXPECT_EQ(
      to_structured(sale()),
      R"({"specversion":"1.0","id":"A234-1234-1234","source":"https://shop.example/orders","type":"com.example.sale",)"
      R"("subject":"order 17","time":"2026-11-23T07:16:00.123456789Z","datacontenttype":"application/json; charset=utf-8",)"
      R"("dataschema":"https://shop.example/schema/sale","actor":"user:alice","retry":false,"sampledrate":-30,)"
      R"("data":{"price": 12.50, "big": 12345678901234567890123, "note": "\u00e9"}})");
}

TEST(Structured, LosesNothingOnARoundTrip) { EXPECT_EQ(read_structured(to_structured(sale())), sale()); }

TEST(Structured, OfRepeatedNamesTheLastCountsHoweverTheyAreWritten) {
  auto event = read_structured(with(R"("subject":1,"shop":"a","sub\u006aect":"b","shop":null,"shop":"c","d":true)"));
  ASSERT_TRUE(event) << to_error(event.error()).message;
  EXPECT_EQ(event->subject, "b");
  EXPECT_EQ(event->extensions, (std::map<std::string, Attribute, std::less<>>{{"d", true}, {"shop", "c"}}));
}

TEST(Structured, AnEventOfAHundredThousandMembersIsReadInTimeThatGrowsWithItsSize) {
  std::string text = "{" + std::string(least);
  for (int i = 0; text.size() + 16 < event_bytes_max; ++i) text += ",\"" + std::to_string(i % 10'000) + "\":0";
  EXPECT_TRUE(read_structured(text + "}"));
}

TEST(Structured, KeepsTheTypesOfUnknownExtensions) {
  auto event = read_structured(with(R"("flag":true,"count":-2147483648,"word":"true")"));
  ASSERT_TRUE(event);
  EXPECT_THAT(event->extensions,
              UnorderedElementsAre(Pair("flag", Attribute(true)), Pair("count", Attribute(INT32_MIN)),
                                   Pair("word", Attribute(std::string("true")))));
}

TEST(Structured, WritesTextAsAStringAndBytesInBase64) {
  auto event = sale();
  event.datacontenttype = "text/plain";
  event.data = "line\n\"quoted\" \x01";
  EXPECT_THAT(to_structured(event), HasSubstr(R"("data":"line\n\"quoted\" \u0001")"));
  EXPECT_EQ(read_structured(to_structured(event)), event);
  event.data = std::string("\xff\x00\x10", 3);
  EXPECT_THAT(to_structured(event), HasSubstr(R"("data_base64":"/wAQ")"));
  EXPECT_EQ(read_structured(to_structured(event)), event);
}

TEST(Structured, NeverWritesBrokenJsonForDataThatOnlyClaimsToBeJson) {
  auto event = sale();
  event.data = R"({"a":1},"id":"other")";
  auto text = to_structured(event);
  EXPECT_THAT(text, HasSubstr("data_base64"));
  EXPECT_EQ(read_structured(text), event);
}

TEST(Structured, TellsNoDataFromEmptyAndFromNull) {
  EXPECT_FALSE(read_structured(with(R"("subject":"s")"))->has_data);
  EXPECT_EQ(read_structured(with(R"("data":null)"))->data, "null");
  auto empty = read_structured(with(R"("datacontenttype":"text/plain","data":"")"));
  EXPECT_TRUE(empty->has_data);
  EXPECT_EQ(read_structured(to_structured(*empty)), *empty);
}

TEST(Structured, TakesNullAttributesAsAbsent) {
  auto event = read_structured(with(R"("subject":null,"mine":null,"time":null,"data_base64":null)"));
  ASSERT_TRUE(event);
  EXPECT_THAT(event->extensions, IsEmpty());
  EXPECT_FALSE(event->has_data);
  EXPECT_THAT(places(problems_of(R"({"specversion":"1.0","id":null,"source":"/a","type":"t"})")), ElementsAre("/id"));
}

TEST(Structured, NamesEveryThingThatIsWrongWithItsPlace) {
  auto problems = problems_of(
      R"({"specversion":"0.3","id":"","source":"no uri","time":"today","dataschema":"relative","datacontenttype":"json",)"
      R"("Big":1,"nested":{},"huge":2147483648,"half":1.5,"data":1,"data_base64":"AA=="})");
  EXPECT_THAT(places(problems),
              ElementsAre("/specversion", "/id", "/source", "/type", "/datacontenttype", "/dataschema", "/Big",
                          "/nested", "/huge", "/half", "/time", "/data_base64"));
  EXPECT_THAT(to_error(problems).message, HasSubstr("/id: The attribute 'id' is empty"));
  EXPECT_THAT(to_error(problems).message, HasSubstr("And 7 more."));
}

TEST(Structured, SaysWhereTheJsonBreaks) {
  auto problems = problems_of("{\"specversion\":\"1.0\",\n \"id\" 1}");
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_THAT(problems[0].message, HasSubstr("line 2"));
  EXPECT_THAT(problems_of("[]"), ElementsAre(Problem{"", "An event is a JSON object; this is an array."}));
}

TEST(Structured, RefusesCharactersThatStringsMayNotHave) {
  for (std::string_view bad : {R"(a\u0007)", R"(a\u007f)", R"(a\u0085)", R"(\ufdd0)", R"(\uffff)", R"(\ud83f\udfff)"})
    EXPECT_THAT(places(problems_of(with("\"subject\":\"" + std::string(bad) + "\""))), ElementsAre("/subject")) << bad;
  for (std::string_view good : {R"(\u00a0)", R"(\ud83d\ude00)", R"(\ufdcf)"})
    EXPECT_THAT(problems_of(with("\"subject\":\"" + std::string(good) + "\"")), IsEmpty()) << good;
}

TEST(Structured, RefusesTextDataThatIsNoString) {
  EXPECT_THAT(places(problems_of(with(R"("datacontenttype":"text/xml","data":{"a":1})"))), ElementsAre("/data"));
  EXPECT_THAT(places(problems_of(with(R"("data_base64":"%%%")"))), ElementsAre("/data_base64"));
}

TEST(Structured, RefusesAnEventLargerThan256KiB) {
  auto fits = sale();
  fits.data = "\"\"";
  auto room = event_bytes_max - to_structured(fits).size();
  fits.data = "\"" + std::string(room, 'x') + "\"";
  EXPECT_TRUE(read_structured(to_structured(fits)));
  EXPECT_THAT(check(fits), IsEmpty());
  fits.data = "\"" + std::string(room + 1, 'x') + "\"";
  EXPECT_THAT(places(problems_of(to_structured(fits))), ElementsAre(""));
  EXPECT_THAT(places(check(fits)), ElementsAre(""));
}

TEST(Structured, TakesTheLastOfRepeatedNamesForDataToo) {
  EXPECT_EQ(read_structured(with(R"("data":{"a":"}"},"d\u0061ta":[1, 2] )"))->data, "[1, 2]");
}

TEST(Batch, KeepsOrderAndNamesTheEventThatIsWrong) {
  auto second = sale();
  second.id = "2";
  std::vector<Event> events{sale(), second};
  EXPECT_EQ(read_batch(to_batch(events)), events);
  EXPECT_EQ(read_batch(" [ ] "), std::vector<Event>{});
  auto wrong = read_batch("[" + to_structured(sale()) + R"(,{"specversion":"1.0","id":"1","type":"t"}, 7])");
  ASSERT_FALSE(wrong);
  EXPECT_THAT(places(wrong.error()), ElementsAre("/1/source", "/2"));
}

TEST(Batch, IsBoundedAndMustBeAnArray) {
  std::string many = "[{}";
  for (size_t i = 0; i < batch_events_max; ++i) many += ",{}";
  EXPECT_THAT(read_batch(many + "]").error()[0].message, HasSubstr("more than 1000 events"));
  EXPECT_THAT(read_batch("{}").error()[0].message, HasSubstr("array"));
  EXPECT_THAT(read_batch("[{}").error()[0].message, HasSubstr("line 1"));
  EXPECT_THAT(read_batch(std::string(batch_bytes_max + 1, ' ')).error()[0].message, HasSubstr("8 MiB"));
}

// HTTP Protocol Binding, section 3.1.3.2, "HTTP Header Values": its example and its rules.
TEST(BinaryMode, PercentEncodesHeadersAsTheBindingSays) {
  auto event = sale();
  event.subject = "Euro € 😀";
  EXPECT_EQ(to_binary(event).headers.at("ce-subject"), "Euro%20%E2%82%AC%20%F0%9F%98%80");
  event.subject = "100% \"sure\"";
  EXPECT_EQ(to_binary(event).headers.at("ce-subject"), "100%25%20%22sure%22");
}

TEST(BinaryMode, RoundTripsAllButTheTypesOfExtensions) {
  auto event = sale();
  event.subject = "Euro € 😀 100% \"sure\"";
  auto binary = to_binary(event);
  EXPECT_EQ(binary.headers.at("content-type"), event.datacontenttype);
  EXPECT_EQ(binary.headers.at("ce-retry"), "false");
  EXPECT_FALSE(binary.headers.contains("ce-datacontenttype"));
  event.extensions = {{"actor", "user:alice"}, {"retry", "false"}, {"sampledrate", "-30"}};
  EXPECT_EQ(read_binary(binary.headers, binary.body), event);
}

TEST(BinaryMode, ReadsQuotedValuesAndEitherCaseOfDigits) {
  Headers headers{{"ce-specversion", "1.0"},
                  {"ce-id", "\"a\\\"b%20c\""},
                  {"ce-source", "/a"},
                  {"ce-type", "t"},
                  {"ce-note", "%e2%82%AC"}};
  auto event = read_binary(headers, "");
  ASSERT_TRUE(event) << to_error(event.error()).message;
  EXPECT_EQ(event->id, "a\"b c");
  EXPECT_EQ(event->text("note"), "€");
  EXPECT_FALSE(event->has_data);
}

TEST(BinaryMode, NamesTheHeaderThatIsWrong) {
  Headers headers{{"ce-specversion", "1.0"},
                  {"ce-id", "50%"},
                  {"ce-source", "%ff"},
                  {"ce-time", "noon"},
                  {"ce-data", "x"},
                  {"ce-big-name", "x"},
                  {"ce-datacontenttype", "text/plain"},
                  {"content-type", "application/json"}};
  auto event = read_binary(headers, "{");
  ASSERT_FALSE(event);
  EXPECT_THAT(places(event.error()),
              ::testing::UnorderedElementsAre("/headers/ce-id", "/headers/ce-source", "/headers/ce-time",
                                              "/headers/ce-data", "/headers/ce-big-name", "/headers/ce-datacontenttype",
                                              "/headers/ce-type", "/body"));
}

// Section 3.1.3.2: "%C0%A0" is an overlong encoding of a space.
TEST(BinaryMode, RefusesBytesThatAreNoUtf8) {
  for (auto bad : {"%C0%A0", "%ED%A0%80", "%ff", "%8", "%zz"}) {
    auto event = read_binary(
        {{"ce-specversion", "1.0"}, {"ce-id", "1"}, {"ce-source", "/a"}, {"ce-type", "t"}, {"ce-note", bad}}, "");
    ASSERT_FALSE(event) << bad;
    EXPECT_THAT(places(event.error()), ElementsAre("/headers/ce-note")) << bad;
  }
}

TEST(BinaryMode, AsksForTheVersion) {
  auto event = read_binary({{"ce-id", "1"}, {"ce-source", "/a"}, {"ce-type", "t"}}, "");
  ASSERT_FALSE(event);
  EXPECT_THAT(places(event.error()), ElementsAre("/headers/ce-specversion"));
}

TEST(BinaryMode, SaysJsonWhereTheEventOnlyMeantIt) {
  auto event = sale();
  event.datacontenttype.clear();
  EXPECT_EQ(to_binary(event).headers.at("content-type"), "application/json");
}

TEST(Http, TellsTheModeByItsContentType) {
  EXPECT_EQ(mode_of({{"content-type", "application/cloudevents+json; charset=utf-8"}}), Mode::structured);
  EXPECT_EQ(mode_of({{"content-type", "Application/CloudEvents-Batch+JSON"}}), Mode::batch);
  EXPECT_EQ(mode_of({{"content-type", "application/json"}}), Mode::binary);
  EXPECT_EQ(mode_of({}), Mode::binary);
  EXPECT_EQ(read_http({{"content-type", std::string(structured_media_type)}}, to_structured(sale())),
            std::vector{sale()});
  EXPECT_EQ(read_http({{"content-type", std::string(batch_media_type)}}, to_batch({sale()})), std::vector{sale()});
}

TEST(Check, FindsInAnEventOfOurOwnWhatAReaderWouldRefuse) {
  EXPECT_THAT(check(sale()), IsEmpty());
  auto event = sale();
  event.id.clear();
  event.source = "no uri";
  event.extensions = {{"Actor", "x"}, {"time", "x"}, {"bell", "\a"}};
  EXPECT_THAT(places(check(event)), ElementsAre("/id", "/source", "/Actor", "/bell", "/time"));
}

TEST(Reserved, IsTheSourceBelowHeadrace) {
  EXPECT_TRUE(is_reserved("/headrace/pipeline"));
  EXPECT_TRUE(is_reserved("/headrace"));
  EXPECT_FALSE(is_reserved("/headraces"));
  EXPECT_FALSE(is_reserved("https://example.com/headrace/"));
}

TEST(Attributes, AreFoundByTheirNames) {
  EXPECT_EQ(attribute(sale(), "specversion"), Attribute("1.0"));
  EXPECT_EQ(attribute(sale(), "time"), Attribute("2026-11-23T07:16:00.123456789Z"));
  EXPECT_EQ(attribute(sale(), "sampledrate"), Attribute(-30));
  EXPECT_EQ(attribute(Event{}, "subject"), std::nullopt);
  EXPECT_EQ(attribute(sale(), "nothing"), std::nullopt);
  EXPECT_EQ(sale().actor(), "user:alice");
  EXPECT_EQ(sale().text("retry"), "");
}

TEST(Attributes, KnowJsonByItsMediaType) {
  for (auto type :
       {"", "application/json", "text/json", "application/vnd.x+json; v=1", "APPLICATION/JSON ; charset=utf-8"})
    EXPECT_TRUE(is_json(type)) << type;
  for (auto type : {"json", "text/plain", "application/jsonl", "application/+jsonx"})
    EXPECT_FALSE(is_json(type)) << type;
}

// Any event that check() finds good comes back equal, whatever its bytes.
TEST(Structured, RoundTripsEventsMadeByChance) {
  constexpr uint64_t seed = 20261123;
  SCOPED_TRACE("seed " + std::to_string(seed));
  core::SeededRandom random(seed);
  constexpr std::string_view alphabet[] = {"a",  "7", " ", "\"",   "\\", "%", "€", "😀",
                                           "\n", "{", "]", "\xff", "\t", "/", ":"};
  auto text = [&](size_t longest) {
    std::string made;
    for (auto length = random.below(longest); length > 0; --length) made += alphabet[random.below(std::size(alphabet))];
    return made;
  };
  size_t good = 0;
  for (int round = 0; round < 5000; ++round) {
    auto event = sale();
    event.id = text(6);
    event.subject = text(4);
    event.extensions["note"] = text(5);
    event.datacontenttype = random.below(2) ? "text/plain" : "";
    event.data = text(20);
    if (event.datacontenttype.empty()) event.data.erase(0, event.data.find_first_not_of(" \t\n"));
    while (event.datacontenttype.empty() && !event.data.empty() && std::isspace(event.data.back()))
      event.data.pop_back();
    if (!check(event).empty()) continue;
    ++good;
    EXPECT_EQ(read_structured(to_structured(event)), event);
    if (event.datacontenttype.empty() || event.data.empty()) continue;
    event.extensions = {{"note", event.extensions["note"]}};
    auto binary = to_binary(event);
    EXPECT_EQ(read_binary(binary.headers, binary.body), event);
  }
  EXPECT_GT(good, 500u);
}

}  // namespace
}  // namespace headrace::events
