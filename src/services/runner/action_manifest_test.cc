#include "services/runner/action_manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::runner {
namespace {

using ::testing::HasSubstr;

std::string error_of(std::string_view text) {
  auto read = parse_action_manifest(text, "hello/action.yml");
  return read ? "" : read.error().message;
}

TEST(ActionManifest, AnActionRunByNodeHasItsFilesConditionsAndInputs) {
  auto read = parse_action_manifest(
      "name: Hello\n"
      "inputs:\n"
      "  who to greet:\n    default: ${{ github.actor }}\n    required: true\n"
      "  old:\n    deprecationMessage: use new\n"
      "  bare:\n"
      "runs:\n  using: Node20\n  main: dist/main.js\n  pre: dist/pre.js\n  pre-if: runner.os == 'Linux'\n  post: "
      "dist/post.js\n",
      "action.yml");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->kind, ActionManifest::Kind::node);
  EXPECT_EQ(read->node_version, 20);
  EXPECT_EQ(read->main, "dist/main.js");
  EXPECT_EQ(read->pre_condition, "runner.os == 'Linux'");
  EXPECT_EQ(read->post_condition, "always()");
  ASSERT_EQ(read->inputs.size(), 3u);
  EXPECT_EQ(read->input("WHO TO GREET")->fallback, "${{ github.actor }}");
  EXPECT_FALSE(read->input("bare")->has_fallback);
  EXPECT_EQ(read->input("old")->deprecation, "use new");
  EXPECT_EQ(input_variable("who to-greet"), "INPUT_WHO_TO-GREET");
}

TEST(ActionManifest, ACompositeActionHasStepsWithTheirPlacesAndOutputs) {
  auto read = parse_action_manifest(
      "name: c\noutputs:\n  sum:\n    value: ${{ steps.add.outputs.sum }}\n"
      "runs:\n  using: composite\n  steps:\n"
      "    - id: add\n      run: echo ${{ inputs.a }}\n      shell: bash\n      if: failure()\n"
      "    - uses: ./inner\n      with: {a: 1}\n",
      "action.yml");
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->steps.size(), 2u);
  EXPECT_EQ(read->steps[0].condition, "failure()");
  EXPECT_EQ(read->steps[0].line, 8);
  EXPECT_EQ(read->steps[1].condition, "success()");
  EXPECT_EQ(read->steps[1].with, (Variables{{"a", "1"}}));
  EXPECT_EQ(read->outputs, (Variables{{"sum", "${{ steps.add.outputs.sum }}"}}));
}

TEST(ActionManifest, WhatIsWrongIsToldWithItsPlaceAndAllOfIt) {
  EXPECT_THAT(error_of(""), HasSubstr("hello/action.yml:1:1: The file is empty"));
  EXPECT_THAT(error_of("name: x\n"), HasSubstr("`runs` is missing"));
  EXPECT_THAT(error_of("runs:\n  using: cobol\n"), HasSubstr("'using: cobol' is not supported"));
  EXPECT_THAT(error_of("runs:\n  using: node20\n"), HasSubstr("runs.main is missing"));
  EXPECT_THAT(error_of("runs:\n  using: composite\n  steps:\n    - run: true\n"),
              HasSubstr(":4:7: Required property is missing: shell"));
  EXPECT_THAT(error_of("a: 1\na: 2\n"), HasSubstr("hello/action.yml:2:1: "));
  std::string two = error_of(
      "inputs:\n  a:\n    default: ${{ secrets.x }}\nruns:\n  using: composite\n  steps:\n    - run: x\n      uses: "
      "y/z@1\n");
  EXPECT_THAT(two, HasSubstr("hello/action.yml:3:14: inputs.a.default: Unrecognized named-value: 'secrets'"));
  EXPECT_THAT(two, HasSubstr("hello/action.yml:7:7: A step has either `run` or `uses`."));
}

TEST(ActionManifest, ErrorsAndSizeAreBounded) {
  std::string steps = "runs:\n  using: composite\n  steps:\n";
  for (int i = 0; i < 100; ++i) steps += "    - {}\n";
  std::string told = error_of(steps);
  EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), static_cast<int>(action_manifest_errors_max) - 1);
  EXPECT_THAT(error_of(std::string(action_manifest_bytes_max + 1, '#')), HasSubstr("larger than 512 KiB"));
}

}  // namespace
}  // namespace headrace::runner
