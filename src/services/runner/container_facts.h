// What an engine prints about its containers, read: JSON of `inspect`, lines of `port`. Pure; any bytes.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "services/runner/job_spec.h"

namespace headrace::runner {

enum class ContainerHealth {
  running,    // it runs and has no health check
  starting,   // it runs, and its check has not said yes yet
  healthy,    // its check has
  unhealthy,  // its check said no as often as it may
  ended,      // it does not run any more
  unknown,    // none of our words
};
std::string_view name_of(ContainerHealth health);

// Of `inspect --format {{json .State}}`. podman before 4.0 says Healthcheck where docker says Health.
ContainerHealth read_health(std::string_view text);
// Of `inspect --format {{json .Config.Healthcheck}}`: how long a container may be without health, which is its start
// period and as many intervals as it has retries. What is not said there is Docker's default, 0 + 3 x 30 s.
std::chrono::nanoseconds read_patience(std::string_view text);
// How it ended, of `.State`: "exit code 3", or nothing.
std::string read_end(std::string_view text);

// Of `port`: "5432/tcp -> 0.0.0.0:49153". Port of the container, and of the host; of udp as "53/udp".
Variables read_ports(std::string_view text);

// Of `inspect --format {{json .Config.Env}}`: a list of NAME=value.
Variables read_environment(std::string_view text);

// One port of `ports:`, "8080", "8080:80", "127.0.0.1:8080:80/udp". invalid: what else stands there.
struct PortWish {
  std::string address;  // of the host; "": its loopback
  std::string outer;    // of the host, a number or a range; "": any that is free
  std::string inner;    // of the container
  std::string protocol = "tcp";
  std::string words() const;  // for --publish
};
core::Result<PortWish> read_port_wish(std::string_view text);
std::optional<uint16_t> port_number(std::string_view text);  // of 1 to 65535

}  // namespace headrace::runner
