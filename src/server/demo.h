// The demo: a repository with a small C++ program, for who sees the platform for the first time (serve --demo). It
// comes as everybody's work comes, by a push of git over HTTP, from an account of its own that has no token afterwards.
#pragma once

#include <optional>
#include <string>

#include "core/result.h"
#include "core/task.h"
#include "server/platform.h"

namespace headrace::server {

inline constexpr std::string_view demo_user = "demo";
inline constexpr std::string_view demo_repository = "demo/shop";

// The page to open first, which is that of the demo's first run: "/demo/shop/runs/2". Makes the demo where it is not
// there yet, and goes on where a start before this one was ended in the middle. Nothing where it was there and is so no
// more: who deleted it does not get it back. Errors: git's words, unavailable (no run within 10 s).
//
// `url` is where git reaches this server. Loop only.
core::Task<core::Result<std::optional<std::string>>> prepare_demo(Platform& platform, std::string url);

}  // namespace headrace::server
