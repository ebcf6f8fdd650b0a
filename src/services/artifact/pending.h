// What an upload is to become, kept beside it (BlobStore::begin), so that a server that was started again goes on.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "services/artifact/shelf.h"

namespace headrace::artifact {

struct Pending {
  enum class Kind { artifact, cache };
  Kind kind = Kind::artifact;
  Holder holder;
  std::string name;  // of the artifact, or key of the cache
  std::string version;
  std::string media;
  std::optional<core::Time> expires;
  bool operator==(const Pending&) const = default;
};

std::string to_text(const Pending& pending);
std::optional<Pending> parse_pending(std::string_view text);  // nothing: it is none

}  // namespace headrace::artifact
