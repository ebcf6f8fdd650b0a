// Gives a fuzz target every file of its corpus, as an ordinary test: what fuzzing once found stays found in builds
// without libFuzzer. The corpus folder is the only argument.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

std::filesystem::path corpus;

std::vector<std::filesystem::path> files_of(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  if (!std::filesystem::is_directory(folder)) return files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.is_regular_file()) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

class Replay : public testing::Test {
 public:
  void TestBody() override {
    const auto files = files_of(corpus);
    ASSERT_FALSE(files.empty()) << "There is no seed in " << corpus
                                << "; add at least one input, so that the replay checks something.";
    for (const auto& file : files) {
      SCOPED_TRACE(file.string());
      std::ifstream in(file, std::ios::binary);
      const std::string bytes{std::istreambuf_iterator<char>(in), {}};
      EXPECT_EQ(LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()), 0);
    }
  }
};

}  // namespace

int main(int count, char** arguments) {
  testing::InitGoogleTest(&count, arguments);
  if (count == 2) corpus = arguments[1];
  testing::RegisterTest("FuzzCorpus", HEADRACE_FUZZ_NAME, nullptr, nullptr, __FILE__, __LINE__,
                        []() -> Replay* { return new Replay; });
  return RUN_ALL_TESTS();
}
