#include "server/versions.h"

#include <sys/utsname.h>

#include <boost/version.hpp>

#include "core/version.h"
#include "net/server.h"
#include "process/run.h"
#include "sqlite/connection.h"

namespace headrace::server {

namespace {

std::string sqlite_version() {
  auto connection = sqlite::Connection::open("", {.mode = sqlite::Mode::memory});
  return connection ? (*connection)->text("SELECT sqlite_version()").value_or("") : "";
}

std::string kernel() {
  struct utsname found{};
  if (::uname(&found) != 0) return {};
  return std::string(found.sysname) + " " + found.release + " " + found.machine;
}

// "git version 2.39.5\n"
core::Task<std::string> git_version(core::Executor executor) {
  process::Spec spec;
  spec.argv = {"git", "--version"};
  spec.environment = process::inherited_environment({"PATH"});
  process::RunLimits limits;
  limits.deadline = std::chrono::seconds(5);
  std::string nothing;
  auto ran = co_await process::run(std::move(executor), std::move(spec), std::move(nothing), limits);
  constexpr std::string_view before = "git version ";
  if (!ran || !ran->out.starts_with(before)) co_return std::string();
  co_return ran->out.substr(before.size(), ran->out.find('\n') - before.size());
}

std::string boost_version() {
  return std::to_string(BOOST_VERSION / 100000) + "." + std::to_string(BOOST_VERSION / 100 % 1000) + "." +
         std::to_string(BOOST_VERSION % 100);
}

}  // namespace

core::Task<Versions> find_versions(core::Executor executor) {
  auto git = co_await git_version(std::move(executor));
  Versions all;
  auto add = [&all](std::string name, std::string version) {
    if (!version.empty()) all.emplace_back(std::move(name), std::move(version));
  };
  add("headrace", std::string(core::version()));
  add("git", std::move(git));
  add("sqlite", sqlite_version());
  add("tls", std::string(net::tls_library()));
  add("boost", boost_version());
  add("compiler", __VERSION__);
  add("kernel", kernel());
  co_return all;
}

}  // namespace headrace::server
