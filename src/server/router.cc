#include "server/router.h"

#include <algorithm>
#include <optional>

namespace headrace::server {

namespace {

std::vector<std::string> pieces_of(std::string_view pattern) {
  std::vector<std::string> pieces;
  if (pattern == "/") return pieces;
  while (!pattern.empty()) {
    pattern.remove_prefix(1);  // the slash
    auto end = std::min(pattern.find('/'), pattern.size());
    pieces.emplace_back(pattern.substr(0, end));
    pattern.remove_prefix(end);
  }
  return pieces;
}

bool is_capture(std::string_view piece) { return piece.starts_with('{') && piece.ends_with('}'); }

std::string rest_of(const std::vector<std::string>& segments, size_t from) {
  std::string rest;
  for (size_t i = from; i < segments.size(); ++i) rest.append(i == from ? "" : "/").append(segments[i]);
  return rest;
}

// "{name}.git" captures what stands before the suffix.
bool match_piece(std::string_view piece, const std::string& segment, std::map<std::string, std::string>& captures) {
  auto close = piece.find('}');
  if (!piece.starts_with('{') || close == std::string_view::npos) return piece == segment;
  auto suffix = piece.substr(close + 1);
  if (segment.size() <= suffix.size() || !segment.ends_with(suffix)) return false;
  captures[std::string(piece.substr(1, close - 1))] = segment.substr(0, segment.size() - suffix.size());
  return true;
}

std::optional<std::map<std::string, std::string>> match(const std::vector<std::string>& pieces,
                                                        const std::vector<std::string>& segments) {
  std::map<std::string, std::string> captures;
  for (size_t i = 0; i < pieces.size(); ++i) {
    std::string_view piece = pieces[i];
    if (is_capture(piece) && piece.ends_with("...}")) {
      captures[std::string(piece.substr(1, piece.size() - 5))] = rest_of(segments, i);
      return captures;
    }
    if (i >= segments.size() || !match_piece(piece, segments[i], captures)) return std::nullopt;
  }
  if (pieces.size() != segments.size()) return std::nullopt;
  return captures;
}

constexpr size_t start_pieces_max = 3;  // "/api/v1/runs": then few routes are left to try

std::string start_of(const std::vector<std::string>& pieces) {
  std::string start;
  for (size_t i = 0; i < std::min(pieces.size(), start_pieces_max) && !pieces[i].contains('{'); ++i)
    start.append("/").append(pieces[i]);
  return start;
}

// HEAD is answered as GET is, but for streams: what has no end has no length either.
bool answers(const Route& route, net::Method method) {
  if (route.method == method) return true;
  bool stream = route.about.success == 101 || route.about.answer.type == "text/event-stream";
  return route.method == net::Method::get && method == net::Method::head && !stream;
}

}  // namespace

const std::string& Call::capture(std::string_view name) const {
  auto found = captures.find(std::string(name));
  core::require(found != captures.end(), "an action asks for a part of the path that its pattern does not have");
  return found->second;
}

std::string Call::query(std::string_view name) const {
  const auto* value = request().parameter(name);
  return value ? *value : std::string();
}

void Router::add(Route route) {
  for (const auto& known : routes_)
    core::require(known.method != route.method || known.pattern != route.pattern, "a route was added twice");
  pieces_.push_back(pieces_of(route.pattern));
  by_start_[start_of(pieces_.back())].push_back(routes_.size());
  routes_.push_back(std::move(route));
}

// The routes that the beginning of the path does not rule out, in the order they were added.
std::vector<size_t> Router::candidates(const net::Request& request) const {
  std::vector<size_t> found;
  std::string start;
  for (size_t i = 0; i <= std::min(request.segments.size(), start_pieces_max); ++i) {
    if (i > 0) start.append("/").append(request.segments[i - 1]);
    if (auto routes = by_start_.find(start); routes != by_start_.end())
      found.insert(found.end(), routes->second.begin(), routes->second.end());
  }
  std::ranges::sort(found);
  return found;
}

Router::Match Router::find(const net::Request& request) const {
  Match found;
  for (size_t i : candidates(request)) {
    const Route& route = routes_[i];
    auto captures = match(pieces_[i], request.segments);
    if (!captures) continue;
    if (answers(route, request.method)) return {&route, {}, std::move(*captures)};
    for (auto method : {route.method, net::Method::head})
      if (answers(route, method) && std::ranges::find(found.methods, method) == found.methods.end())
        found.methods.push_back(method);
  }
  return found;
}

}  // namespace headrace::server
