#include <fmt/format.h>

#include "core/bytes.h"
#include "net/url.h"
#include "services/artifact/shelf.h"

namespace headrace::artifact {

using core::Code;
using core::Result;

namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

}  // namespace

Result<> check_artifact_name(std::string_view name) {
  if (name.empty()) return core::fail(Code::invalid, "An artifact needs a name.");
  if (name.size() > name_bytes_max || !core::is_utf8(name) || name == "." || name == "..")
    return core::fail(Code::invalid, fmt::format("The name of an artifact is UTF-8 of at most {} bytes, and neither "
                                                 "\".\" nor \"..\".",
                                                 name_bytes_max));
  for (char c : name)
    if (is_control(c) || std::string_view("\":<>|*?\\/").contains(c))
      return core::fail(Code::invalid,
                        fmt::format("The artifact name is not valid: '{}'. A name has none of \" : < > | * ? \\ / and "
                                    "no control character.",
                                    core::to_valid_utf8(std::string(name))));
  return {};
}

Result<> check_cache_key(std::string_view key) {
  if (key.empty()) return core::fail(Code::invalid, "A cache needs a key.");
  if (key.size() > key_bytes_max)
    return core::fail(Code::invalid, fmt::format("Key Validation Error: {} cannot be larger than {} characters.",
                                                 core::to_valid_utf8(std::string(key.substr(0, 80))), key_bytes_max));
  if (key.contains(',') || !core::is_utf8(key))
    return core::fail(Code::invalid, fmt::format("Key Validation Error: {} cannot contain commas, and is UTF-8.",
                                                 core::to_valid_utf8(std::string(key))));
  for (char c : key)
    if (is_control(c)) return core::fail(Code::invalid, "The key of a cache holds no control character.");
  return {};
}

std::string purl_of(const Artifact& artifact) {
  std::string place;
  for (std::string_view rest = artifact.repository; !rest.empty();) {
    auto slash = rest.find('/');
    place += net::percent_encode(rest.substr(0, slash)) + "/";
    rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
  }
  return fmt::format("pkg:generic/{}{}@{}?checksum={}", place, net::percent_encode(artifact.name), artifact.run_id,
                     artifact.digest);
}

}  // namespace headrace::artifact
