// The files of the web pages as this program holds them, made of web/ when it is built (cmake/Pages.cmake).
#pragma once

#include <span>
#include <string_view>

namespace headrace::server {

struct PageFile {
  std::string_view path;  // "/assets/index-CFzhZ0mT.js"; "/index.html"
  std::string_view type;  // "text/javascript; charset=utf-8"
  std::string_view tag;   // ETag, quotes included
  std::string_view plain;
  std::string_view gzip, brotli;  // empty where they save nothing
};

std::span<const PageFile> page_files();  // sorted by path; empty: the program was built without pages
std::string_view page_policy();          // the content security policy of /index.html; web/build/policy.mjs makes it

}  // namespace headrace::server
