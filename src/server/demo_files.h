// The files of the demo's repository, as cmake/Demo.cmake put them into the program from demo/shop.
#pragma once

#include <span>
#include <string_view>

namespace headrace::server {

struct DemoFile {
  std::string_view path;  // "src/cart.cc"
  std::string_view text;
};

// By path.
std::span<const DemoFile> demo_files();

}  // namespace headrace::server
