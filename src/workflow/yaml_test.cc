#include "workflow/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::workflow {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using Kind = Node::Kind;

Node good(std::string_view text) {
  Tree tree = parse_yaml(text);
  EXPECT_THAT(tree.errors, IsEmpty()) << text << ": " << tree.errors[0].message;
  return tree.root;
}

Finding refusal(std::string_view text) {
  Tree tree = parse_yaml(text);
  EXPECT_EQ(tree.errors.size(), 1U) << text.substr(0, 100);
  return tree.errors.empty() ? Finding{} : tree.errors[0];
}

TEST(Yaml, KnowsThePlaceOfEveryNode) {
  Node root = good("a: 1\nb:\n  - x\n  - {c: 'y'}\n");
  EXPECT_EQ(root.at, (Position{1, 1}));
  EXPECT_EQ(root.pairs[0].value.at, (Position{1, 4}));
  EXPECT_EQ(root.pairs[1].key.at, (Position{2, 1}));
  EXPECT_EQ(root.pairs[1].value.items[0].at, (Position{3, 5}));
  EXPECT_EQ(root.pairs[1].value.items[1].pairs[0].value.at, (Position{4, 9}));
}

TEST(Yaml, ReadsPlainScalarsByTheCoreSchema) {
  auto check = [](std::string_view text, Kind kind, std::string_view as) {
    Node node = good(std::string("k: ") + std::string(text)).pairs[0].value;
    EXPECT_EQ(node.kind, kind) << text;
    EXPECT_EQ(node.text, as) << text;
  };
  check("", Kind::null, "");
  check("~", Kind::null, "");
  check("Null", Kind::null, "");
  check("TRUE", Kind::boolean, "true");
  check("yes", Kind::string, "yes");
  check("on", Kind::string, "on");
  check("0x1F", Kind::number, "31");
  check("0o17", Kind::number, "15");
  check("017", Kind::number, "17");
  check("-1.50", Kind::number, "-1.5");
  check("+.5e1", Kind::number, "5");
  check("-.inf", Kind::number, "-Infinity");
  check(".nan", Kind::number, "NaN");
  check("12_345", Kind::string, "12_345");
  check("1.2.3", Kind::string, "1.2.3");
  check("2022-10-26", Kind::string, "2022-10-26");
  check("'12'", Kind::string, "12");
  check("!!str 12", Kind::string, "12");
  check("! 12", Kind::string, "12");
  check("!!int '12'", Kind::number, "12");
}

TEST(Yaml, UndoesQuotesOfSingleQuotedTextAndFoldsItsLines) {
  auto text = [](std::string_view yaml) { return good(yaml).pairs[0].value.text; };
  EXPECT_EQ(text("a: '${{ x || '''' }}'"), "${{ x || '' }}");
  EXPECT_EQ(text("a: ''"), "");
  EXPECT_EQ(text("a: ''''"), "'");
  EXPECT_EQ(text("a: 'x''''''y'  # 'z'"), "x'''y");
  EXPECT_EQ(text("a: 'x  \n  y\n\n\n  z '"), "x y\n\nz ");
  EXPECT_EQ(text("a: ' \r\n b'"), " b");
  EXPECT_EQ(good("ä: 'é'\n'k''''': 1").pairs[1].key.text, "k''");
}

TEST(Yaml, ABlockWithNothingInItTakesNothingOfWhatFollows) {
  Node step =
      good("a:\n  - run: |\n    shell: bash\n    if: >- # never\n    # a remark\n    env: x\n").pairs[0].value.items[0];
  ASSERT_EQ(step.pairs.size(), 4U);
  EXPECT_EQ(step.pairs[0].value.text, "");
  EXPECT_EQ(step.pairs[0].value.kind, Kind::string);
  EXPECT_EQ(step.pairs[1].value.text, "bash");
  EXPECT_EQ(step.pairs[2].value.text, "");
  EXPECT_EQ(step.pairs[3].value.at, (Position{6, 10}));
  Node items = good("a:\n  - |\n  - x\n  -   >\n  - &b |\n  - 'y'\n").pairs[0].value;
  ASSERT_EQ(items.items.size(), 5U);
  EXPECT_EQ(items.items[1].text, "x");
  EXPECT_EQ(items.items[4].text, "y");
  Node kept = good("a:\n  'b | ': |+\n\n\n  c: 1\n").pairs[0].value;
  ASSERT_EQ(kept.pairs.size(), 2U);
  EXPECT_EQ(kept.pairs[0].value.text, "\n\n");
  EXPECT_EQ(kept.pairs[1].value.at, (Position{5, 6}));
}

TEST(Yaml, ABlockWithNothingInItMayEndTheFile) {
  for (const char* text :
       {"a:\n  b: |", "a:\n  b: |\n", "a:\n  b: >-\n  ", "a:\n  b: |\r\n", "a:\n  b: |\n  # end\n"}) {
    EXPECT_EQ(good(text).pairs[0].value.pairs[0].value.text, "") << text;
  }
  EXPECT_EQ(good("a:\n  b: |+\n\n\n").pairs[0].value.pairs[0].value.text, "\n\n");
  EXPECT_EQ(good("a:\n  - |\n").pairs[0].value.items[0].text, "");
  EXPECT_EQ(good("a:\n  - |+\n   ").pairs[0].value.items[0].text, "\n");
}

TEST(Yaml, BlocksWithSomethingInThemStayAsTheyAre) {
  EXPECT_EQ(good("a:\n  &k b: |\n   x\n  c: 1\n").pairs[0].value.pairs[0].value.text, "x\n");
  EXPECT_EQ(good("a:\n  b: |1\n     x\n  c: 1\n").pairs[0].value.pairs[0].value.text, "  x\n");
  EXPECT_EQ(good("a: |\n\n  x: |\n  y\n").pairs[0].value.text, "\nx: |\ny\n");
  EXPECT_EQ(good("a:\n- |\n  x\n- y\n").pairs[0].value.items[0].text, "x\n");
}

TEST(Yaml, HowOftenAFileIsReadAgainForEmptyBlocksIsBounded) {
  std::string text = "a:\n";
  for (int i = 0; i < 100; ++i) text += "  k" + std::to_string(i) + ": |\n";
  EXPECT_THAT(refusal(text).message, HasSubstr("write '' for them"));
}

TEST(Yaml, RefusesAKeyThatIsThereAlreadyWithItsPlace) {
  EXPECT_EQ(refusal("a: 1\nb: 2\na: 3\n"), (Finding{{3, 1}, "'a' is already defined in line 1; remove one."}));
}

TEST(Yaml, TellsOfEveryKeyThatIsThereAlreadyWithinTheBoundOfFindings) {
  auto told = [](std::string_view text) { return parse_yaml(text).errors; };
  EXPECT_THAT(told("a: 1\na: {x: 1, x: 2}\nb: 1\nb: 2\na: 3\n"),
              testing::ElementsAre(Finding{{2, 1}, "'a' is already defined in line 1; remove one."},
                                   Finding{{2, 11}, "'x' is already defined in line 2; remove one."},
                                   Finding{{4, 1}, "'b' is already defined in line 3; remove one."},
                                   Finding{{5, 1}, "'a' is already defined in line 1; remove one."}));
  EXPECT_THAT(told("k: &k {a: 1, a: 2}\nl: *k\n"), testing::SizeIs(1)) << "an alias repeats nothing";
  auto broken = told("a: 1\na: 2\nb: [1\n");
  ASSERT_THAT(broken, testing::SizeIs(2));
  EXPECT_THAT(broken[1].message, HasSubstr("The file is no YAML here"));
  std::string many;
  for (int i = 0; i < 300; ++i) many += "a: 1\n";
  EXPECT_THAT(told(many), testing::SizeIs(findings_max));
}

TEST(Yaml, AnItemThatIsADashAloneStandsBehindIt) {
  auto places = [](std::string_view text) {
    std::vector<Position> all;
    Node root = good(text);
    for (const Node& item : root.pairs[0].value.items) all.push_back(item.at);
    return all;
  };
  using testing::ElementsAre;
  EXPECT_THAT(places("a:\n  - x\n  -\n  - # nothing\n  - y\n"),
              ElementsAre(Position{2, 5}, Position{3, 4}, Position{4, 4}, Position{5, 5}));
  EXPECT_THAT(places("a:\n  - |\n    - not this\n\n  # - nor this\n  -\n"),
              ElementsAre(Position{2, 5}, Position{6, 4}));
  EXPECT_THAT(places("a:\n  -\n    - b\n    -\n  -\n"), ElementsAre(Position{3, 5}, Position{5, 4}));
  Node nested = good("a:\n  - -\n    - x\n    -\r\n");
  const auto& inner = nested.pairs[0].value.items[0].items;
  ASSERT_EQ(inner.size(), 3U);
  EXPECT_EQ(inner[0].at, (Position{2, 6}));
  EXPECT_EQ(inner[2].at, (Position{4, 6}));
}

TEST(Yaml, FindsADoubleKeyAmongFewAndAmongManyKeys) {
  for (int keys : {1, 2, 16, 17, 18, 40, 1000}) {
    std::string text;
    for (int key = 1; key <= keys; ++key) text += "k" + std::to_string(key) + ": 1\n";
    EXPECT_EQ(good(text).pairs.size(), static_cast<size_t>(keys));
    for (int again : {1, keys}) {
      std::string key = "k" + std::to_string(again);
      EXPECT_EQ(refusal(text + key + ": 2\n"),
                (Finding{{keys + 1, 1},
                         "'" + key + "' is already defined in line " + std::to_string(again) + "; remove one."}));
    }
    Node merged = good("m: &m {k1: merged, fresh: 1}\nall:\n  <<: *m\n  o: 1\n" + [&] {
      std::string inner;
      for (int key = 1; key <= keys; ++key) inner += "  k" + std::to_string(key) + ": own\n";
      return inner;
    }());
    EXPECT_EQ(merged.find("all")->pairs.size(), static_cast<size_t>(keys) + 2) << "o and fresh";
    EXPECT_EQ(merged.find("all")->find("k1")->text, "own");
  }
}

TEST(Yaml, ExpandsAnchorsAndMergeKeys) {
  Node root = good("x: &x {a: 1, b: 2}\ny:\n  <<: *x\n  b: 3\nz: {<<: [*x, {c: 4, a: 5}]}\n");
  const Node& y = root.pairs[1].value;
  EXPECT_EQ(y.find("a")->text, "1");
  EXPECT_EQ(y.find("b")->text, "3");
  const Node& z = root.pairs[2].value;
  EXPECT_EQ(z.find("a")->text, "1");
  EXPECT_EQ(z.find("c")->text, "4");
  EXPECT_EQ(z.pairs.size(), 3U);
  EXPECT_THAT(refusal("a: {<<: 3}").message, HasSubstr("'<<' merges a mapping"));
}

TEST(Yaml, AliasesCannotMakeASmallFileALargeTree) {
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 30; ++i) {
    std::string before = "*a" + std::to_string(i - 1) + ", ";
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before + before + before + before + "x]\n";
  }
  EXPECT_THAT(refusal(laughs).message, HasSubstr("larger than 50000 values"));
  EXPECT_THAT(refusal("a: &a [1, *a]").message, HasSubstr("within its own anchor"));
  EXPECT_THAT(refusal("a: *b").message, HasSubstr("There is no anchor &b"));
}

TEST(Yaml, DepthIsBounded) {
  EXPECT_THAT(refusal(std::string(10'000, '[')).message, testing::Not(IsEmpty()));
  std::string deep;
  for (int i = 0; i < 2000; ++i) deep += std::string(static_cast<size_t>(i), ' ') + "a:\n";
  EXPECT_THAT(refusal(deep).message, testing::Not(IsEmpty()));
}

TEST(Yaml, SaysWhereTheFileIsBroken) {
  Finding finding = refusal("a: b\nc: [1, 2\nd: e\n");
  EXPECT_GE(finding.at.line, 2);
  EXPECT_THAT(finding.message, HasSubstr("The file is no YAML here: "));
  EXPECT_EQ(refusal("a:\n  b: 1\n c: 2\n").at.line, 3);
  EXPECT_THAT(refusal("a: \xFF\n").message, HasSubstr("UTF-8"));
  EXPECT_THAT(refusal(std::string_view("a: \0", 4)).message, HasSubstr("UTF-8"));
  EXPECT_EQ(refusal("a: 1\n---\nb: 2\n").at.line, 2);
  EXPECT_THAT(refusal("a: !!timestamp 2022-10-26\n").message, HasSubstr("Unexpected tag"));
  EXPECT_THAT(refusal("[1]: 2\n").message, HasSubstr("A key must be a string"));
  EXPECT_THAT(refusal(std::string(file_bytes_max + 1, ' ')).message, HasSubstr("larger than 512 KiB"));
}

TEST(Yaml, AnEmptyFileIsNothing) {
  EXPECT_EQ(good("").kind, Kind::null);
  EXPECT_EQ(good("# only a comment\n").kind, Kind::null);
}

}  // namespace
}  // namespace headrace::workflow
