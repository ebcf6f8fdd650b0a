#include "archive/archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <map>

#include "core/bytes.h"

namespace headrace::archive {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using Files = std::map<std::string, std::string>;

class Memory final : public core::File {
 public:
  explicit Memory(std::string bytes) : bytes_(std::move(bytes)) {}
  core::Result<size_t> read_at(uint64_t offset, std::span<std::byte> into) const override {
    if (offset >= bytes_.size()) return size_t{0};
    size_t count = std::min<size_t>(into.size(), bytes_.size() - offset);
    std::memcpy(into.data(), bytes_.data() + offset, count);
    return count;
  }
  core::Result<> write_at(uint64_t, std::span<const std::byte>) override { return {}; }
  core::Result<> sync() override { return {}; }
  core::Result<> truncate(uint64_t) override { return {}; }
  core::Result<uint64_t> size() const override { return bytes_.size(); }

 private:
  std::string bytes_;
};

std::string zip_of(const Files& files, int level = 6) {
  ZipWriter writer(level);
  std::string zip;
  for (const auto& [name, text] : files) {
    Entry entry;
    entry.name = name;
    entry.size = text.size();
    entry.mode = 0755;
    entry.changed = *core::parse_time("2026-11-23T12:00:00Z");
    EXPECT_TRUE(writer.begin(entry));
    for (size_t at = 0; at < text.size(); at += 1000)
      writer.add(core::as_bytes(std::string_view(text).substr(at, 1000)));
    writer.end();
    zip += writer.take();
  }
  writer.finish();
  return zip + writer.take();
}

core::Result<Files> files_in(const std::string& zip) {
  const Memory file(zip);
  auto reader = ZipReader::open(file);
  if (!reader) return std::unexpected(reader.error());
  Files files;
  for (size_t i = 0; i < (*reader)->entries().size(); ++i) {
    if (auto sought = (*reader)->seek(i); !sought) return std::unexpected(sought.error());
    std::string text;
    std::array<std::byte, 777> piece;
    while (true) {
      auto got = (*reader)->read(piece);
      if (!got) return std::unexpected(got.error());
      if (*got == 0) break;
      text.append(reinterpret_cast<const char*>(piece.data()), *got);
    }
    files[(*reader)->entries()[i].name] = text;
  }
  return files;
}

std::string noise(size_t size) {
  std::string text;
  uint32_t state = 7;
  while (text.size() < size) text.push_back(static_cast<char>((state = state * 1664525 + 1013904223) >> 24));
  return text;
}

TEST(Zip, ComesBackAsItWas) {
  const Files files{
      {"a.txt", "hello"}, {"empty", ""}, {"dir/large", noise(300'000)}, {"Übung", std::string(50'000, 'x')}};
  for (int level : {0, 1, 6, 9}) {
    auto back = files_in(zip_of(files, level));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, files) << level;
  }
  EXPECT_LT(zip_of(files, 9).size(), zip_of(files, 0).size());
}

TEST(Zip, KeepsModeAndTime) {
  const Memory file(zip_of({{"run.sh", "echo"}}));
  auto reader = ZipReader::open(file);
  ASSERT_TRUE(reader);
  EXPECT_EQ((*reader)->entries()[0].mode, 0755u);
  EXPECT_EQ((*reader)->entries()[0].changed, *core::parse_time("2026-11-23T12:00:00Z"));
  EXPECT_EQ((*reader)->entries()[0].size, 4u);
}

// What others write and read: unzip and python's zipfile share nothing with us.
TEST(Zip, IsReadByPython) {
  if (std::system("python3 -c '' 2>/dev/null") != 0) GTEST_SKIP() << "no python3 here";
  std::string path = ::testing::TempDir() + "headrace-archive-test.zip";
  std::ofstream(path, std::ios::binary) << zip_of({{"a/b.txt", "hello"}, {"c", noise(100'000)}});
  std::string check = "python3 -c \"import zipfile,sys; z=zipfile.ZipFile('" + path +
                      "'); sys.exit(0 if z.testzip() is None and z.namelist()==['a/b.txt','c'] and "
                      "z.read('a/b.txt')==b'hello' else 1)\"";
  EXPECT_EQ(std::system(check.c_str()), 0);
  std::remove(path.c_str());
}

TEST(Zip, ThatIsDamagedIsRefusedAndSaysWhere) {
  std::string zip = zip_of({{"a", noise(5'000)}});
  EXPECT_THAT(files_in("PK").error().message, HasSubstr("too short"));
  EXPECT_THAT(files_in(std::string(100, 'x')).error().message, HasSubstr("no zip"));
  EXPECT_FALSE(files_in(zip.substr(10)));
  std::string flipped = zip;
  flipped[1'000] = static_cast<char>(flipped[1'000] ^ 0x10);
  EXPECT_THAT(files_in(flipped).error().message, HasSubstr("damaged at byte"));
  for (size_t at = 0; at < zip.size(); at += 97) EXPECT_FALSE(files_in(zip.substr(0, at))) << at;
}

TEST(Names, AreSafeOrNone) {
  EXPECT_EQ(safe_name("a/b"), "a/b");
  EXPECT_EQ(safe_name("./a//b/"), "a/b");
  EXPECT_EQ(safe_name("a\\b"), "a/b");
  EXPECT_EQ(safe_name("..a/b..c"), "..a/b..c");
  for (const char* bad : {"", "/", "/etc/passwd", "../a", "a/../../b", "a/..", "..", ".", "C:\\a", "\\\\host\\a"})
    EXPECT_FALSE(safe_name(bad)) << bad;
}

class Kept final : public TarSink {
 public:
  core::Result<> begin(const Entry& entry) override {
    name_ = entry.name;
    files[name_] = "";
    return {};
  }
  core::Result<> add(std::span<const std::byte> bytes) override {
    files[name_].append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }
  core::Result<> end() override {
    ++ended;
    return {};
  }
  Files files;
  size_t ended = 0;

 private:
  std::string name_;
};

std::string tar_of(const Files& files) {
  std::string tar;
  for (const auto& [name, text] : files) {
    Entry entry;
    entry.name = name;
    entry.size = text.size();
    tar += tar_header(entry) + text + tar_padding(text.size());
  }
  return tar + tar_end();
}

TEST(Tar, ComesBackAsItWasInPiecesOfAnySize) {
  const Files files{
      {"a", "hello"}, {"empty", ""}, {std::string(180, 'n') + "/b", noise(2'000)}, {"c", std::string(512, 'c')}};
  std::string tar = tar_of(files);
  for (size_t piece : {size_t{1}, size_t{511}, size_t{512}, size_t{4'096}, tar.size()}) {
    Kept kept;
    TarReader reader(kept);
    for (size_t at = 0; at < tar.size(); at += piece)
      ASSERT_TRUE(reader.feed(core::as_bytes(std::string_view(tar).substr(at, piece))));
    EXPECT_TRUE(reader.finish());
    EXPECT_EQ(kept.files, files) << piece;
    EXPECT_EQ(kept.ended, files.size());
  }
}

TEST(Tar, OfGnuIsReadWithLongNamesAndWithoutFolders) {
  std::string folder = ::testing::TempDir() + "headrace-tar-test";
  std::string name(120, 'l');
  std::string script = "rm -rf " + folder + "; mkdir -p " + folder + "/d && cd " + folder + " && printf hello > d/" +
                       name + " && printf x > s && ln -s s link && tar --format=FMT -cf t d s link";
  for (const char* format : {"gnu", "pax"}) {
    std::string run = script;
    run.replace(run.find("FMT"), 3, format);
    ASSERT_EQ(std::system(run.c_str()), 0);
    std::ifstream in(folder + "/t", std::ios::binary);
    std::string tar((std::istreambuf_iterator<char>(in)), {});
    Kept kept;
    TarReader reader(kept);
    ASSERT_TRUE(reader.feed(core::as_bytes(tar))) << format;
    EXPECT_TRUE(reader.finish());
    EXPECT_THAT(kept.files, ElementsAre(Pair("d/" + name, "hello"), Pair("s", "x"))) << format;
  }
  EXPECT_EQ(std::system(("rm -rf " + folder).c_str()), 0);
}

TEST(Tar, ThatIsNoneIsRefused) {
  Kept kept;
  TarReader reader(kept);
  EXPECT_FALSE(reader.feed(core::as_bytes(std::string(512, 'x'))));
  TarReader cut(kept);
  ASSERT_TRUE(cut.feed(core::as_bytes(tar_of({{"a", "hello"}}).substr(0, 600))));
  EXPECT_FALSE(cut.finish());
}

}  // namespace
}  // namespace headrace::archive
