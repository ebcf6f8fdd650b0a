#include "services/runner/service_surroundings.h"

#include <boost/asio/this_coro.hpp>
#include <exception>

#include "net/port_forward.h"
#include "services/runner/container_group.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using core::Task;

namespace {

// Everything of the job is the inner surroundings'; this adds the services and takes them away again.
class ServiceSurroundings final : public Surroundings {
 public:
  ServiceSurroundings(core::Executor loop, std::unique_ptr<Surroundings> inner, std::shared_ptr<ContainerGroup> group)
      : loop_(std::move(loop)), inner_(std::move(inner)), group_(std::move(group)) {}
  // The engine's containers are no children of ours: where end() was not awaited (a job that is cancelled while its
  // services start) they are removed all the same, as long as the loop runs.
  ~ServiceSurroundings() override { group_->begin_removal(); }

  Kind what() const override { return inner_->what(); }
  std::vector<std::string> description() const override {
    auto lines = inner_->description();
    for (auto& line : group_->lines()) lines.push_back(std::move(line));
    return lines;
  }
  const InsidePaths& inside() const override { return inner_->inside(); }
  std::optional<std::string> to_inside(std::string_view host) const override { return inner_->to_inside(host); }
  std::optional<std::string> to_host(std::string_view inside) const override { return inner_->to_host(inside); }
  Variables environment() const override { return inner_->environment(); }
  Task<Result<std::unique_ptr<process::Child>>> run(Command command) override {
    return inner_->run(std::move(command));
  }
  pid_t leader() const override { return inner_->leader(); }
  Result<> write(const std::string& path, std::string_view text) override { return inner_->write(path, text); }
  Result<> make_folder(const std::string& path) override { return inner_->make_folder(path); }
  Result<std::string> read(const std::string& path, size_t bytes_max) const override {
    return inner_->read(path, bytes_max);
  }
  const ContainerFacts* containers() const override { return &group_->facts; }
  Task<Result<InsideListener>> listen() override { return inner_->listen(); }
  Task<Result<InsideListener>> listen_at(uint16_t port) override { return inner_->listen_at(port); }
  std::optional<uid_t> owner() const override { return inner_->owner(); }
  std::optional<std::string> limit_hit() const override { return inner_->limit_hit(); }
  Task<Result<Usage>> end() override {
    forwards_.clear();
    auto used = co_await inner_->end();
    co_await ContainerGroup::remove(group_);
    co_return used;
  }

  // A port of the job's localhost for one that the engine published on the host; any that is free where it is 0.
  Task<Result<uint16_t>> carry(uint16_t wanted, uint16_t published) {
    auto door = co_await inner_->listen_at(wanted);
    if (!door) co_return std::unexpected(door.error());
    forwards_.push_back(std::make_unique<net::PortForward>(loop_, door->socket.release(), published));
    co_return door->port;
  }

 private:
  core::Executor loop_;
  std::unique_ptr<Surroundings> inner_;
  std::shared_ptr<ContainerGroup> group_;  // shared with the task that removes it
  std::vector<std::unique_ptr<net::PortForward>> forwards_;
};

// What a job in a sandbox asked for of one service, and the words that the engine is told instead.
Result<std::vector<PortWish>> take_ports(ServiceSpec& service) {
  std::vector<PortWish> wishes;
  for (auto& port : service.container.ports) {
    auto wish = read_port_wish(port);
    if (!wish) return std::unexpected(wish.error());
    bool one = port_number(wish->inner) && (wish->outer.empty() || port_number(wish->outer));
    if (wish->protocol != "tcp" || !one)
      return core::fail(Code::invalid, "The port '" + port + "' of the service '" + service.name +
                                           "' cannot be had in a sandbox: only single ports of tcp are. Write a range "
                                           "as single ports, or give the job its image in container:, where services "
                                           "are reached by name.");
    port = "127.0.0.1::" + wish->inner;
    wishes.push_back(std::move(*wish));
  }
  return wishes;
}

Task<Result<>> carry_ports(ServiceSurroundings& around, ContainerFacts::Service& service,
                           std::vector<PortWish> wishes) {
  Variables inside;
  for (const auto& wish : wishes) {
    std::optional<uint16_t> published;
    for (const auto& [inner, outer] : service.ports)
      if (inner == wish.inner) published = port_number(outer);
    if (!published)
      co_return core::fail(Code::unavailable, "The container engine published no port for " + wish.inner +
                                                  " of the service '" + service.name + "'.");
    auto port = co_await around.carry(port_number(wish.outer).value_or(0), *published);
    if (!port)
      co_return core::pass_on(port.error(), "the port " + wish.outer + " of the service '" + service.name + "'");
    inside.emplace_back(wish.inner, std::to_string(*port));
  }
  service.ports = std::move(inside);
  co_return Result<>{};
}

Task<Result<>> begin(ServiceSurroundings& around, ContainerGroup& group, std::vector<ServiceSpec> services,
                     PortsOf ports, bool closed) {
  std::vector<std::vector<PortWish>> wishes;
  for (auto& service : services) {
    if (ports == PortsOf::host) break;
    auto taken = take_ports(service);
    if (!taken) co_return std::unexpected(taken.error());
    wishes.push_back(std::move(*taken));
  }
  if (auto made = co_await group.make_network(closed); !made) co_return made;
  if (auto begun = co_await group.start_services(std::move(services)); !begun) co_return begun;
  for (size_t i = 0; i < wishes.size(); ++i)
    if (auto carried = co_await carry_ports(around, group.facts.services[i], wishes[i]); !carried) co_return carried;
  co_return Result<>{};
}

}  // namespace

Task<Result<std::unique_ptr<Surroundings>>> with_services(ServiceParts parts, std::unique_ptr<Surroundings> around,
                                                          std::string folder, std::vector<ServiceSpec> services,
                                                          PortsOf ports) {
  auto engine = co_await ContainerEngine::find(parts.loop, parts.options.engine);
  if (!engine) {
    auto ended = co_await around->end();
    co_return std::unexpected(engine.error());
  }
  auto group = std::make_shared<ContainerGroup>(parts.clock, parts.options, std::move(*engine), std::move(folder));
  auto made = std::make_unique<ServiceSurroundings>(parts.loop, std::move(around), group);
  const bool closed = false;  // a network without a way out has no published ports either
  Result<> begun;
  std::exception_ptr cancelled;
  try {
    begun = co_await begin(*made, *group, std::move(services), ports, closed);
  } catch (...) {
    cancelled = std::current_exception();
  }
  if (!cancelled && begun) co_return made;
  co_await boost::asio::this_coro::reset_cancellation_state(boost::asio::disable_cancellation());
  auto ended = co_await made->end();  // the job has not ended before what there is has gone
  if (cancelled) std::rethrow_exception(cancelled);
  co_return std::unexpected(begun.error());
}

}  // namespace headrace::runner
