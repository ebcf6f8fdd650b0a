// git http-backend under nginx: what a git host does with no rights, no policy and no event; the reference of the rows
// about git. It serves the repositories of `folder`/git.
#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "platform_parts.h"

namespace headrace::bench {

class GitBackend {
 public:
  static constexpr const char* named = "git http-backend under nginx, no rights, no policy, no event";
  static bool is_installed() {
    return std::system("command -v nginx fcgiwrap >/dev/null && test -x /usr/lib/git-core/git-http-backend") == 0;
  }

  explicit GitBackend(const std::filesystem::path& folder) : port_(free_port()) {
    const std::string here = folder;
    std::filesystem::create_directories(folder / "git");
    std::ofstream(folder / "nginx.conf")
        << "daemon off; master_process off; pid " << here << "/pid; error_log " << here << "/error crit;\n"
        << "events { worker_connections 64; }\nhttp { access_log off; client_max_body_size 0; client_body_temp_path "
        << here << "/a; proxy_temp_path " << here << "/b; fastcgi_temp_path " << here << "/c; uwsgi_temp_path " << here
        << "/d; scgi_temp_path " << here << "/e;\nserver { listen 127.0.0.1:" << port_ << "; location / { "
        << "include /etc/nginx/fastcgi_params; fastcgi_param SCRIPT_FILENAME /usr/lib/git-core/git-http-backend; "
        << "fastcgi_param GIT_HTTP_EXPORT_ALL 1; fastcgi_param REMOTE_USER bench; fastcgi_param GIT_PROJECT_ROOT "
        << here << "/git; fastcgi_param PATH_INFO $uri; fastcgi_param HTTP_GIT_PROTOCOL $http_git_protocol; "
        << "fastcgi_pass unix:" << here << "/socket; } } }\n";
    wrapper_ =
        std::make_unique<Child>(std::vector<std::string>{"fcgiwrap", "-c", "20", "-s", "unix:" + here + "/socket"});
    nginx_ = std::make_unique<Child>(std::vector<std::string>{"nginx", "-c", here + "/nginx.conf", "-p", here});
    if (!listens(port_)) Wire::fail("nginx does not listen");
  }
  std::string url(const std::string& name) const {
    return "http://127.0.0.1:" + std::to_string(port_) + "/" + name + ".git";
  }

 private:
  int port_;
  std::unique_ptr<Child> wrapper_, nginx_;
};

}  // namespace headrace::bench
