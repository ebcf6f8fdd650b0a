#include "services/runner/download.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "core/bytes.h"
#include "core/diagnostics.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using core::Task;

namespace {

struct Free {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Sum = std::unique_ptr<EVP_MD_CTX, Free>;

}  // namespace

Download::Download(StepEngine& engine, core::Pool& pool)
    : engine_(engine), pool_(pool), path_(engine.place().folder + ".download") {}

Download::~Download() {
  if (!file_) return;
  file_.reset();
  if (auto removed = engine_.disk().remove(path_); !removed)
    core::diagnose(core::Level::warning, "runner", "removing a download: " + removed.error().message);
}

Task<Result<>> Download::fetch(ToolkitClient& client, std::string url) {
  auto wait = toolkit_wait_first;
  for (int attempt = 1;; ++attempt) {
    auto fetched = co_await fetch_once(client, url);
    bool again = !fetched && fetched.error().code == Code::unavailable && attempt < download_attempts_max;
    if (!again) co_return fetched;
    co_await engine_.clock().sleep_for(wait);
    wait = std::min(wait * 2, toolkit_wait_most);
  }
}

Task<Result<>> Download::fetch_once(ToolkitClient& client, std::string url) {
  if (!file_) {
    auto opened = engine_.disk().open(path_, core::Disk::Open::ensure);
    if (!opened) co_return std::unexpected(opened.error());
    file_ = std::move(*opened);
  }
  if (auto emptied = file_->truncate(0); !emptied) co_return emptied;
  size_ = 0;
  auto call = co_await client.get(std::move(url));
  if (!call) co_return std::unexpected(call.error());
  Sum sum(EVP_MD_CTX_new());
  EVP_DigestInit_ex(sum.get(), EVP_sha256(), nullptr);
  std::vector<std::byte> piece(download_piece_bytes);
  while (true) {
    auto got = co_await (*call)->read(piece);
    if (!got) co_return std::unexpected(got.error());
    if (*got == 0) break;
    auto put = [this, &sum, bytes = std::span<const std::byte>(piece).first(*got)]() -> Result<> {
      EVP_DigestUpdate(sum.get(), bytes.data(), bytes.size());
      return file_->write_at(size_, bytes);
    };
    if (auto written = co_await core::blocking(pool_, std::move(put)); !written) co_return written;
    if (size_ == 0)
      is_zip_ = *got >= 4 && piece[0] == std::byte{'P'} && piece[1] == std::byte{'K'} && piece[2] < std::byte{8};
    size_ += *got;
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_DigestFinal_ex(sum.get(), digest.data(), &length);
  digest_ = "sha256:" + core::to_hex(std::as_bytes(std::span(digest).first(length)));
  co_return Result<>{};
}

Task<Result<>> Download::copy_to(InsideProgram& program) {
  std::vector<std::byte> piece(download_piece_bytes);
  for (uint64_t at = 0; at < size_;) {
    auto read = [this, at, &piece] { return file_->read_at(at, piece); };
    auto got = co_await core::blocking(pool_, std::move(read));
    if (!got) co_return std::unexpected(got.error());
    if (*got == 0) break;
    if (auto written = co_await program.write(std::span(piece).first(*got)); !written) co_return written;
    at += *got;
  }
  co_return Result<>{};
}

}  // namespace headrace::runner
