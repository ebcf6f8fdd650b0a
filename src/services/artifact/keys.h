// What proves to the face who asks: the runtime token of a job, and addresses that are signed.
//
// A runtime token (ACTIONS_RUNTIME_TOKEN) is a JWT (RFC 7519), signed by HMAC-SHA256 with a key of ours, for
// @actions/artifact reads its claim `scp`: "Actions.Results:<run>:<job>". It says for itself what the face needs to
// know of the job, so nothing is stored for it. It is dead when the job's lease is (the caller asks).
//
// A signed address is good for what its path names until `se`, while the lease `le` lives (0: whoever holds it), and
// says on whose behalf (`by`):  /_blobs/<kind>/<id>/<name>?by=...&le=...&se=...&sig=...
//
// Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "net/http.h"
#include "services/artifact/shelf.h"

namespace headrace::artifact {

struct Signed {
  std::string path;
  std::string by;  // an actor, as core::to_string has it
  uint64_t lease = 0;
  core::Time until;
};

class Keys {
 public:
  explicit Keys(std::string key);  // 32 bytes that nobody else has
  ~Keys();                         // wipes it from memory
  Keys(const Keys&) = delete;
  Keys& operator=(const Keys&) = delete;

  std::string mint(const Holder& holder, core::Time now) const;
  // Nothing: it is not one of ours, whole, unchanged and in its time.
  std::optional<Holder> read(std::string_view token, core::Time now) const;

  std::string sign(const Signed& what) const;  // path and query
  // What follows from the path and the query of a request; nothing: likewise.
  std::optional<Signed> check(const net::Request& request, core::Time now) const;

 private:
  std::string mac(std::string_view purpose, std::string_view text) const;  // base64url
  std::string key_;
};

}  // namespace headrace::artifact
