#include "services/secrets/secrets.h"

#include "services/secrets/impl.h"

namespace headrace::secrets {

using core::Result;
using core::Task;

namespace {

constexpr std::chrono::minutes start_max{10};  // for the projection to be rebuilt, at worst

}  // namespace

Result<std::unique_ptr<Secrets>> Secrets::open(Parts parts) {
  auto boxes = SealedBoxes::open(parts.safe, parts.random);
  if (!boxes) return std::unexpected(boxes.error());
  parts.store.add(std::make_unique<Projection>());
  return std::unique_ptr<Secrets>(new Secrets(std::make_unique<Impl>(parts, std::move(*boxes))));
}

Secrets::Secrets(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Secrets::~Secrets() = default;

Task<Result<>> Secrets::start() {
  auto& impl = *impl_;
  auto there =
      co_await impl.parts.store.caught_up(std::string(projection_name), impl.parts.bus.log().durable(), start_max);
  if (!there) co_return there;
  if (auto swept = co_await impl.drop_strays(); !swept) co_return swept;
  co_return impl.subscribe();
}

const PublicKey& Secrets::public_key() const { return impl_->boxes->public_key(); }

Result<std::string> Secrets::unseal(std::string_view key_id, std::string_view box_base64) const {
  return impl_->boxes->unseal(key_id, box_base64);
}

}  // namespace headrace::secrets
