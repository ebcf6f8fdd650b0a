// Dispatch is what happens to every request: who asks, which route, may they, the action, and an answer in any case.
#pragma once

#include <functional>

#include "net/server.h"
#include "server/platform.h"
#include "server/readings.h"
#include "server/router.h"

namespace headrace::server {

class Dispatch {
 public:
  Dispatch(Router& router, Platform& platform) : router_(router), platform_(platform) {}  // both outlive this

  void open() { open_ = true; }  // until then everything but /healthz is answered 503
  void close() { open_ = false; }
  core::Task<> operator()(net::Exchange& exchange);

 private:
  core::Task<core::Result<>> handle(net::Exchange& exchange);
  core::Task<> shape(net::Response& answer, Shown shown, bool packed);
  Router& router_;
  Platform& platform_;
  bool open_ = false;
};

}  // namespace headrace::server
