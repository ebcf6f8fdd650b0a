// Services of a job that runs in a sandbox or on the host: each in a container, its ports at the job's localhost, as on
// GitHub ("Communicating with Docker service containers", "Running jobs on the runner machine").
//
// On the host a port is published there. A sandbox has a loopback of its own: there the engine publishes at any free
// port of the host, and what connects to the job's localhost is carried to it. So two jobs may both have a service at
// 5432.
#pragma once

#include <memory>
#include <vector>

#include "core/clock.h"
#include "services/runner/executor.h"

namespace headrace::runner {

enum class PortsOf {
  host,  // the job shares the host's loopback
  job,   // the job has a loopback of its own
};

// Of the executor that makes them; the clock outlives it all.
struct ServiceParts {
  core::Executor loop;
  core::Clock& clock;
  ExecutorOptions options;
};

// `around` with the services beside it; where they do not come up it is ended. Errors: as the engine's; invalid where a
// port cannot be had. Cancelled half-way, what there is of them is removed.
core::Task<core::Result<std::unique_ptr<Surroundings>>> with_services(ServiceParts parts,
                                                                      std::unique_ptr<Surroundings> around,
                                                                      std::string folder,
                                                                      std::vector<ServiceSpec> services, PortsOf ports);

}  // namespace headrace::runner
