// As much of Azure Blob Storage's REST API as its SDK (@azure/storage-blob) uses for uploads and downloads by a signed
// address. Learn, "Put Blob", "Put Block", "Put Block List", "Get Blob", "Get Blob Properties", "Error response".
#include <fmt/format.h>

#include <charconv>

#include "core/bytes.h"
#include "net/url.h"
#include "services/artifact/block_list.h"
#include "services/artifact/face.h"
#include "services/artifact/range.h"

namespace headrace::artifact {

using core::Code;
using core::Result;
using core::Task;

namespace {

constexpr std::string_view api_version = "2024-11-04";

std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else
      out.push_back(c);
  }
  return out;
}

net::Response refusal(net::Status status, std::string_view code, std::string_view message) {
  auto answer = net::make_response(
      status,
      fmt::format(R"(<?xml version="1.0" encoding="utf-8"?><Error><Code>{}</Code><Message>{}</Message></Error>)", code,
                  escaped(message)),
      "application/xml");
  answer.headers.set("x-ms-error-code", std::string(code));
  answer.headers.set("x-ms-version", std::string(api_version));
  return answer;
}

net::Response refusal(const core::Error& error) {
  switch (error.code) {
    case Code::invalid: return refusal(net::Status::bad_request, "InvalidInput", error.message);
    case Code::not_found: return refusal(net::Status::not_found, "BlobNotFound", error.message);
    case Code::denied:
    case Code::unauthenticated: return refusal(net::Status::forbidden, "AuthenticationFailed", error.message);
    case Code::conflict: return refusal(net::Status::conflict, "BlobAlreadyExists", error.message);
    case Code::exhausted: return refusal(net::Status::insufficient_storage, "InsufficientStorage", error.message);
    default: return refusal(net::Status::unavailable, "ServerBusy", error.message);
  }
}

std::string etag_of(std::string_view digest) { return "\"0x" + std::string(digest.substr(digest.size() - 16)) + "\""; }

net::Response created(std::string_view digest) {
  net::Response answer;
  answer.status = net::Status::created;
  answer.headers.set("ETag", etag_of(digest));
  answer.headers.set("x-ms-version", std::string(api_version));
  answer.headers.set("x-ms-request-server-encrypted", "false");
  return answer;
}

// A file's name for a header: what is not plain goes by RFC 8187.
std::string disposition_of(const std::string& name) {
  std::string plain;
  for (char c : name) plain.push_back(c > ' ' && c < 0x7f && c != '"' && c != '\\' ? c : '_');
  return "attachment; filename=\"" + plain + "\"; filename*=UTF-8''" + net::percent_encode(name);
}

struct Download {
  std::string digest, media, name;
  uint64_t size = 0;
  int64_t artifact = 0;  // 0: a cache
};

net::Headers headers_of(const Download& it, const Asked& asked) {
  net::Headers headers{{"Content-Type", it.media},
                       {"ETag", etag_of(it.digest)},
                       {"Accept-Ranges", "bytes"},
                       {"Content-Disposition", disposition_of(it.name)},
                       {"Cache-Control", "private, no-store"},
                       {"X-Content-Type-Options", "nosniff"},
                       {"Content-Security-Policy", "sandbox; default-src 'none'"},
                       {"x-ms-blob-type", "BlockBlob"},
                       {"x-ms-version", std::string(api_version)}};
  if (asked.kind == RangeKind::part)
    headers.set("Content-Range",
                fmt::format("bytes {}-{}/{}", asked.range.first, asked.range.first + asked.range.length - 1, it.size));
  return headers;
}

Task<Result<>> send(net::Exchange& exchange, core::Pool& pool, std::shared_ptr<core::File> file, Range range) {
  std::string piece(blob_piece_bytes, '\0');
  uint64_t at = range.first, left = range.length;
  while (left > 0) {
    auto into = std::as_writable_bytes(std::span(piece)).first(std::min<uint64_t>(left, piece.size()));
    auto read = [file, at, into] { return file->read_at(at, into); };
    auto got = co_await core::blocking(pool, std::move(read));
    if (!got) co_return std::unexpected(got.error());
    if (*got == 0) co_return core::fail(Code::corrupt, "A blob is shorter than it was.");
    if (auto sent = co_await exchange.write(std::string_view(piece).substr(0, *got)); !sent) co_return sent;
    at += *got;
    left -= *got;
  }
  co_return co_await exchange.finish();
}

std::optional<int64_t> id_in(std::string_view text) {
  int64_t id = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || id <= 0) return std::nullopt;
  return id;
}

}  // namespace

Task<Result<>> Face::answer_blob(net::Exchange& exchange) {
  const auto& request = exchange.request();
  auto by = parts_.keys.check(request, parts_.clock.now());
  if (!by || (by->lease != 0 && !parts_.shelf.alive(by->lease)) || request.segments.size() < 3)
    co_return co_await exchange.respond(refusal(net::Status::forbidden, "AuthenticationFailed",
                                                "This address is not signed by us, its time is over, or the job it "
                                                "was made for is; ask for another."));
  if (request.method == net::Method::put && request.segments[1] == "upload")
    co_return co_await put(exchange, std::move(*by));
  bool reads = request.method == net::Method::get || request.method == net::Method::head;
  if (reads && request.segments[1] != "upload") co_return co_await get(exchange, std::move(*by));
  co_return co_await exchange.respond(refusal(net::Status::method_not_allowed, "UnsupportedHttpVerb",
                                              "An address of an upload takes PUT, any other GET and HEAD."));
}

// ---- In

Task<Result<>> Face::put(net::Exchange& exchange, Signed) {
  const auto& request = exchange.request();
  std::string upload = request.segments[2];
  if (!pending_.contains(upload))
    co_return co_await exchange.respond(
        refusal(net::Status::not_found, "BlobNotFound", "There is no such upload, or it has ended."));
  const auto* what = request.parameter("comp");
  const auto* block = request.parameter("blockid");
  if (what == nullptr) co_return co_await take_in(exchange, std::move(upload), std::string());
  if (*what == "blocklist") co_return co_await join(exchange, std::move(upload));
  if (*what == "block" && block != nullptr && is_block_id(*block))
    co_return co_await take_in(exchange, std::move(upload), *block);
  co_return co_await exchange.respond(refusal(net::Status::bad_request, "InvalidQueryParameterValue",
                                              "comp is block (with blockid, base64 of 1 to 64 bytes) or blocklist."));
}

Task<Result<>> Face::take_in(net::Exchange& exchange, std::string upload, std::string block) {
  const auto& bounds = parts_.shelf.bounds();
  auto found = pending_.find(upload);
  uint64_t most = found->second.kind == Pending::Kind::cache ? bounds.cache_bytes_max : bounds.artifact_bytes_max;
  const auto* there = parts_.blobs.upload(upload);
  uint64_t before = block.empty() || there == nullptr ? 0 : there->bytes();
  if (there != nullptr && there->parts.size() > blocks_max)
    co_return co_await exchange.respond(refusal(net::Status::conflict, "BlockCountExceedsLimit",
                                                fmt::format("A blob has at most {} blocks.", blocks_max)));
  auto too_large = [&](uint64_t size) { return before + size > most; };
  std::string sentence = fmt::format("This is larger than {} bytes, the most that one of it may have.", most);
  if (too_large(exchange.body_length().value_or(0)))
    co_return co_await exchange.respond(refusal(net::Status::content_too_large, "RequestBodyTooLarge", sentence));
  if (parts_.free_bytes() < bounds.free_bytes_min + exchange.body_length().value_or(0))
    co_return co_await exchange.respond(refusal(net::Status::insufficient_storage, "InsufficientStorage",
                                                "The disk of the server is nearly full; its operator must make room."));
  auto incoming = co_await parts_.blobs.receive(upload, block);
  if (!incoming) co_return co_await exchange.respond(refusal(incoming.error()));
  std::vector<std::byte> piece(blob_piece_bytes);
  for (bool more = true; more;) {
    size_t filled = 0;
    while (filled < piece.size()) {
      auto got = co_await exchange.read(std::span(piece).subspan(filled));
      if (!got) co_return std::unexpected(got.error());
      more = *got > 0;
      if (!more) break;
      filled += *got;
    }
    if (too_large((*incoming)->size() + filled))
      co_return co_await exchange.respond(refusal(net::Status::content_too_large, "RequestBodyTooLarge", sentence));
    if (filled == 0) break;
    auto written = co_await (*incoming)->write(std::span(piece).first(filled));
    if (!written) co_return co_await exchange.respond(refusal(written.error()));
  }
  auto blob = co_await (*incoming)->finish();
  if (!blob) co_return co_await exchange.respond(refusal(blob.error()));
  co_return co_await exchange.respond(created(blob->digest));
}

Task<Result<>> Face::join(net::Exchange& exchange, std::string upload) {
  auto body = co_await exchange.body(block_list_bytes_max);
  if (!body && body.error().code == Code::exhausted)
    co_return co_await exchange.respond(
        refusal(net::Status::content_too_large, "RequestBodyTooLarge", "The list of blocks is too long."));
  if (!body) co_return std::unexpected(body.error());
  auto blocks = parse_block_list(*body);
  if (!blocks)
    co_return co_await exchange.respond(
        refusal(net::Status::bad_request, "InvalidXmlDocument", blocks.error().message));
  const auto& bounds = parts_.shelf.bounds();
  const auto* there = parts_.blobs.upload(upload);
  // A block may be named more than once: the sum is of what is named.
  uint64_t size = 0;
  for (const auto& block : *blocks) {
    if (there == nullptr) break;
    if (auto part = there->parts.find(core::sha256_hex(block)); part != there->parts.end()) size += part->second;
  }
  auto found = pending_.find(upload);
  bool cache = found != pending_.end() && found->second.kind == Pending::Kind::cache;
  const uint64_t most = cache ? bounds.cache_bytes_max : bounds.artifact_bytes_max;
  if (size > most)
    co_return co_await exchange.respond(
        refusal(net::Status::content_too_large, "RequestBodyTooLarge", "The blocks add up to more than one may have."));
  if (parts_.free_bytes() < bounds.free_bytes_min + size)
    co_return co_await exchange.respond(refusal(net::Status::insufficient_storage, "InsufficientStorage",
                                                "The disk of the server is nearly full; its operator must make room."));
  auto blob = co_await parts_.blobs.commit(std::move(upload), std::move(*blocks));
  if (!blob && blob.error().code == Code::invalid)
    co_return co_await exchange.respond(refusal(net::Status::bad_request, "InvalidBlockList", blob.error().message));
  if (!blob) co_return co_await exchange.respond(refusal(blob.error()));
  co_return co_await exchange.respond(created(blob->digest));
}

// ---- Out

Task<Result<>> Face::get(net::Exchange& exchange, Signed by) {
  const auto& request = exchange.request();
  auto id = id_in(request.segments[2]);
  Download it;
  Result<> there = core::fail(Code::not_found, "There is nothing here any more.");
  if (id && request.segments[1] == "artifact") {
    auto artifact = co_await parts_.shelf.artifact(*id);
    there = artifact && !artifact->expired ? Result<>{} : artifact ? there : std::unexpected(artifact.error());
    if (there) it = {artifact->digest, artifact->media, request.segments.back(), artifact->size, artifact->id};
  } else if (id && request.segments[1] == "cache") {
    auto cache = co_await parts_.shelf.cache(*id);
    there = cache ? Result<>{} : std::unexpected(cache.error());
    if (there) it = {cache->digest, "application/octet-stream", "cache", cache->size, 0};
  }
  if (!there) co_return co_await exchange.respond(refusal(there.error()));
  auto match = request.headers.get("If-Match");
  if (!match.empty() && match != "*" && match != etag_of(it.digest))
    co_return co_await exchange.respond(
        refusal(net::Status::precondition_failed, "ConditionNotMet", "It is another one by now."));
  auto header = request.headers.get("x-ms-range");
  Asked asked = range_of(header.empty() ? request.headers.get("Range") : header, it.size);
  if (asked.kind == RangeKind::unsatisfiable) {
    auto answer = refusal(net::Status::range_not_satisfiable, "InvalidRange",
                          fmt::format("It has {} bytes; the range begins behind them.", it.size));
    answer.headers.set("Content-Range", fmt::format("bytes */{}", it.size));
    co_return co_await exchange.respond(std::move(answer));
  }
  auto file = co_await parts_.blobs.open_blob(it.digest);
  if (!file) co_return co_await exchange.respond(refusal(file.error()));
  bool head = request.method == net::Method::head;
  if (auto who = core::parse_actor(by.by); it.artifact != 0 && !head && asked.range.first == 0 && who) {
    std::string once = "artifact.downloaded/" + core::sha256_hex(*request.parameter("sig"));
    auto said = co_await parts_.shelf.downloaded(*who, it.artifact, std::move(once));
    if (!said) co_return co_await exchange.respond(refusal(said.error()));
  }
  auto status = asked.kind == RangeKind::part ? net::Status{206} : net::Status::ok;
  auto headers = headers_of(it, asked);
  if (head) headers.set("Content-Length", std::to_string(asked.range.length));
  if (auto started = co_await exchange.start(status, std::move(headers), asked.range.length); !started)
    co_return started;
  if (head) co_return co_await exchange.finish();
  co_return co_await send(exchange, parts_.files, std::move(*file), asked.range);
}

}  // namespace headrace::artifact
