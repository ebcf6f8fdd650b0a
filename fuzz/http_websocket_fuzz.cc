// rooms: net core
// Any bytes as WebSocket frames, to a server and to a client: never broken by them, never more than the bound is held,
// and the same messages whether the bytes come at once or one by one.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "net/ws_frame.h"

namespace {

using namespace headrace::net;

constexpr size_t message_bytes_max = 4096;

void expect(bool holds) {
  if (!holds) std::abort();
}

std::string heard(Role role, std::string_view bytes, size_t step) {
  MessageReader reader(role, message_bytes_max);
  Buffer in;
  std::string all;
  while (true) {
    auto item = reader.next(in);
    if (!item) return all + "!" + std::to_string(static_cast<int>(item.error().code));
    if (item->has_value()) {
      const auto& [kind, data] = **item;
      expect(data.size() <= message_bytes_max && (kind != Opcode::text || headrace::core::is_utf8(data)));
      all += std::to_string(static_cast<int>(kind)) + ":" + data + ";";
      if (kind == Opcode::close) (void)parse_close(data);
    } else {
      if (bytes.empty()) return all;
      const size_t take = std::min(step, bytes.size());
      in.append(bytes.substr(0, take));
      bytes.remove_prefix(take);
    }
  }
}

// What we write a peer reads as it was.
void try_frame(std::string_view payload) {
  for (bool masked : {false, true}) {
    Buffer buffer;
    append_frame(buffer, Opcode::binary, payload, masked ? std::optional(MaskKey{1, 200, 3, 77}) : std::nullopt);
    const std::string read = heard(masked ? Role::server : Role::client, buffer.view(), 5);
    expect(payload.size() > message_bytes_max ? read == "!1009" : read == "2:" + std::string(payload) + ";");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (Role role : {Role::server, Role::client}) expect(heard(role, bytes, size + 1) == heard(role, bytes, 1));
  try_frame(bytes);
  return 0;
}
