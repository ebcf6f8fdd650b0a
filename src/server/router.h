// Router finds the action for a request. What it knows of its routes is also what OpenAPI says (openapi.h), so that the
// document cannot tell of a route that is not there.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/task.h"
#include "net/http.h"
#include "net/server.h"
#include "server/caller.h"

namespace headrace::server {

// A request on its way through an action.
struct Call {
  net::Exchange& exchange;
  Caller caller;                                // who asks; anonymous where no credential came
  std::map<std::string, std::string> captures;  // "{owner}" in the pattern -> "team"

  const net::Request& request() const { return exchange.request(); }
  const std::string& capture(std::string_view name) const;
  // A query parameter; empty where absent.
  std::string query(std::string_view name) const;
};

// Ends by answering. An Error it returns is answered as answers.h has it.
using Action = std::function<core::Task<core::Result<>>(Call& call)>;

struct QueryParameter {
  std::string name;
  std::string description;
  std::string type = "string";  // of JSON Schema
};

// What a body is.
struct Content {
  Content() = default;  // there is none
  Content(std::string media) : type(std::move(media)) {}
  Content(const char* media) : type(media) {}
  Content(std::string media, std::string of) : type(std::move(media)), schema(std::move(of)) {}

  std::string type;    // media type
  std::string schema;  // a name in schemas.json; empty: what it holds is said elsewhere
};
inline Content json_body(std::string schema) { return {"application/json", std::move(schema)}; }

// What a route is, for people and OpenAPI 3.1.
struct About {
  std::string summary;
  std::string tag;                         // "runs"
  std::vector<QueryParameter> parameters;  // beside those of the path
  Content request;
  Content answer = "application/json";
  int success = 200;
};

struct Route {
  net::Method method;
  std::string pattern;  // "/api/v1/runs/{run}"; "{path...}" takes all that is left, slashes included
  Right right;          // asked at the door before the action is called
  About about;
  Action action;
};

class Router {
 public:
  void add(Route route);  // the same method and pattern twice breaks an invariant

  struct Match {
    const Route* route = nullptr;      // null: see the methods
    std::vector<net::Method> methods;  // that the path has, where the method does not fit; empty: no such path
    std::map<std::string, std::string> captures;
  };
  Match find(const net::Request& request) const;
  const std::vector<Route>& routes() const { return routes_; }

 private:
  std::vector<size_t> candidates(const net::Request& request) const;

  std::vector<Route> routes_;
  std::vector<std::vector<std::string>> pieces_;                   // of each route's pattern
  std::unordered_map<std::string, std::vector<size_t>> by_start_;  // routes by the words their patterns begin with
};

}  // namespace headrace::server
