#include "services/identity/vault.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "sqlite/connection.h"
#include "store/testing/folder.h"

namespace headrace::identity {
namespace {

using core::Code;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

class VaultTest : public ::testing::Test {
 protected:
  core::Result<std::unique_ptr<Vault>> open() {
    return Vault::open(disk, random, folder.file("vault.db"), folder.file("vault.key"));
  }
  std::unique_ptr<Vault> opened() {
    auto vault = open();
    EXPECT_TRUE(vault) << vault.error().message << vault.error().detail;
    return vault ? std::move(*vault) : nullptr;
  }
  std::string bytes(const std::string& name) { return core::read_file(disk, folder.file(name)).value_or(""); }

  store::testing::Folder folder;
  core::SystemDisk disk;
  core::SystemRandom random;
};

TEST_F(VaultTest, GivesBackWhatWasPutAlsoAfterItIsOpenedAgain) {
  {
    auto vault = opened();
    ASSERT_TRUE(vault->put("token", "b", "second"));
    ASSERT_TRUE(vault->put("token", "a", std::string("fi\0rst", 6)));
    ASSERT_TRUE(vault->put("mail", "a", "other"));
    ASSERT_TRUE(vault->put("token", "b", "changed"));
  }
  auto vault = opened();
  EXPECT_THAT(*vault->all("token"), ElementsAre(Pair("a", std::string("fi\0rst", 6)), Pair("b", "changed")));
  EXPECT_EQ(*vault->get("mail", "a"), "other");
  EXPECT_EQ(*vault->get("mail", "b"), std::nullopt);
  ASSERT_TRUE(vault->remove("token", "a"));
  EXPECT_TRUE(vault->remove("token", "a"));
  EXPECT_THAT(*vault->all("token"), ElementsAre(Pair("b", "changed")));
}

TEST_F(VaultTest, KeepsNothingInTheClearAndItsFilesToItsOwner) {
  auto vault = opened();
  ASSERT_TRUE(vault->put("token", "id", "a very secret text"));
  auto everything = bytes("vault.db") + bytes("vault.db-wal");
  EXPECT_THAT(everything, HasSubstr("token"));
  EXPECT_THAT(everything, Not(HasSubstr("very secret")));
  for (auto name : {"vault.db", "vault.key", "vault.db-wal"}) {
    struct stat status{};
    ASSERT_EQ(::stat(folder.file(name).c_str(), &status), 0) << name;
    EXPECT_EQ(status.st_mode & 0777, 0600u) << name;
  }
}

TEST_F(VaultTest, RefusesAnotherKeyWithAClearSentence) {
  opened();
  ASSERT_TRUE(core::write_file(disk, folder.file("vault.key"), std::string(64, 'a') + "\n"));
  auto vault = open();
  ASSERT_FALSE(vault);
  EXPECT_EQ(vault.error().code, Code::invalid);
  EXPECT_EQ(vault.error().message,
            "This is not the key of this vault; give the key file it was made with (--vault-key-file).");
}

TEST_F(VaultTest, DoesNotMakeANewKeyForAVaultThatIsThere) {
  opened();
  ASSERT_TRUE(disk.remove(folder.file("vault.key")));
  auto vault = open();
  ASSERT_FALSE(vault);
  EXPECT_EQ(vault.error().code, Code::not_found);
  EXPECT_FALSE(*disk.exists(folder.file("vault.key")));
}

TEST_F(VaultTest, RefusesAMalformedKeyFileAndDoesNotQuoteIt) {
  for (auto text : {"abc", "zz", "not hexadecimal at all, sixty-four characters long, but no digits"}) {
    ASSERT_TRUE(core::write_file(disk, folder.file("vault.key"), text));
    auto vault = open();
    ASSERT_FALSE(vault) << text;
    EXPECT_EQ(vault.error().code, Code::invalid);
    EXPECT_THAT(vault.error().message + vault.error().detail, Not(HasSubstr(text)));
  }
}

TEST_F(VaultTest, TellsADamagedOrSwappedEntry) {
  {
    auto vault = opened();
    ASSERT_TRUE(vault->put("token", "a", "one"));
    ASSERT_TRUE(vault->put("token", "b", "two"));
  }
  {
    auto tables = *sqlite::Connection::open(folder.file("vault.db"), {});
    ASSERT_TRUE(tables->execute("UPDATE sealed SET box = (SELECT box FROM sealed WHERE id = 'b') WHERE id = 'a'"));
  }
  auto vault = opened();
  EXPECT_EQ(vault->get("token", "a").error().code, Code::corrupt);
  EXPECT_EQ(vault->all("token").error().code, Code::corrupt);
  EXPECT_EQ(*vault->get("token", "b"), "two");
}

// docs/vault.md, "Example": the layout is fixed for as long as there are vaults.
TEST_F(VaultTest, OpensTheExampleOfItsPage) {
  ASSERT_TRUE(core::write_file(disk, folder.file("vault.key"),
                               "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"));
  auto vault = opened();
  auto tables = *sqlite::Connection::open(folder.file("vault.db"), {});
  ASSERT_TRUE(tables->execute(
      "INSERT INTO sealed (kind, id, box) VALUES ('token', 'a', "
      "x'404142434445464748494a4b4c4d4e4f505152535455565732105ddfed442a01cccbedd34a2b3a1d3e783e1c5451da2aa93714')"));
  EXPECT_EQ(*vault->get("token", "a"), "one");
}

TEST_F(VaultTest, RefusesASecretBeyondItsBound) {
  auto vault = opened();
  EXPECT_TRUE(vault->put("token", "a", std::string(vault_secret_bytes_max, 'x')));
  EXPECT_EQ(vault->put("token", "b", std::string(vault_secret_bytes_max + 1, 'x')).error().code, Code::exhausted);
}

}  // namespace
}  // namespace headrace::identity
