// What most sources read anyway, precompiled where that is worth it (cmake/Precompiled.cmake). Nothing of ours, so that no
// edit here at work makes it again; sources name what they use all the same: builds without it check that.
#pragma once

#include <algorithm>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>
