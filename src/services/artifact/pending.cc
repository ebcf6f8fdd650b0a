#include "services/artifact/pending.h"

#include "core/json.h"

namespace headrace::artifact {

namespace json = core::json;

std::string to_text(const Pending& pending) {
  const Holder& holder = pending.holder;
  json::object kept{{"kind", pending.kind == Pending::Kind::artifact ? "artifact" : "cache"},
                    {"lease", std::to_string(holder.lease)},
                    {"repository", holder.repository},
                    {"run", holder.run},
                    {"run_id", holder.run_id},
                    {"job", holder.job},
                    {"ref", holder.ref},
                    {"commit", holder.commit},
                    {"name", pending.name},
                    {"version", pending.version},
                    {"media", pending.media}};
  if (pending.expires) kept["expires"] = core::format_time(*pending.expires);
  return core::to_text(kept);
}

std::optional<Pending> parse_pending(std::string_view text) {
  auto kept = core::parse_json(text);
  if (!kept) return std::nullopt;
  auto at = [&](std::string_view name) { return core::string_at(*kept, name).value_or(""); };
  Pending pending;
  auto kind = at("kind");
  if (kind != "artifact" && kind != "cache") return std::nullopt;
  pending.kind = kind == "cache" ? Pending::Kind::cache : Pending::Kind::artifact;
  for (char c : at("lease")) pending.holder.lease = pending.holder.lease * 10 + static_cast<uint64_t>(c - '0');
  pending.holder.repository = at("repository");
  pending.holder.run = at("run");
  pending.holder.run_id = core::integer_at(*kept, "run_id").value_or(0);
  pending.holder.job = at("job");
  pending.holder.ref = at("ref");
  pending.holder.commit = at("commit");
  pending.name = at("name");
  pending.version = at("version");
  pending.media = at("media");
  if (auto expires = core::parse_time(at("expires"))) pending.expires = *expires;
  return pending;
}

}  // namespace headrace::artifact
