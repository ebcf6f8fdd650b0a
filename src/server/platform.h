// The parts a route may use. Made and owned by Server; everything outlives every request.
#pragma once

#include "bus/bus.h"
#include "core/clock.h"
#include "core/disk.h"
#include "core/id.h"
#include "core/random.h"
#include "core/task.h"
#include "log/segment_log.h"
#include "store/store.h"

namespace headrace::identity {
class Identity;
class JobTokens;
}  // namespace headrace::identity
namespace headrace::repository {
class Repositories;
}
namespace headrace::pipeline {
class Pipeline;
}
namespace headrace::runner {
class Runner;
}
namespace headrace::tests {
class Tests;
}
namespace headrace::secrets {
class Secrets;
}
namespace headrace::artifact {
class Artifacts;
}
namespace headrace::net {
class Server;
}

namespace headrace::server {

class Pulse;
class StorageMeter;

struct Platform {
  core::Loop& loop;
  core::Clock& clock;
  core::Disk& disk;
  core::Random& random;
  core::IdSource& ids;
  core::Pool& git_reads;
  log::SegmentLog& log;
  store::Store& store;
  bus::Bus& bus;
  identity::Identity& identity;
  identity::JobTokens& job_tokens;
  repository::Repositories& repositories;
  pipeline::Pipeline& pipeline;
  runner::Runner& runner;
  tests::Tests& tests;
  secrets::Secrets& secrets;
  artifact::Artifacts& artifacts;
  Pulse& pulse;
  StorageMeter& storage;
  core::Time started;      // of this process
  std::string data;        // folder
  std::string public_url;  // "http://127.0.0.1:8080", without a slash at the end
};

}  // namespace headrace::server
