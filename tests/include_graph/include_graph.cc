#include "include_graph.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace headrace::include_graph {

namespace {

namespace fs = std::filesystem;

const std::vector<std::vector<std::string>> tiers{
    {"core"},
    {"events"},
    {"log", "filter", "sqlite", "process"},
    {"bus", "store", "git", "workflow", "report", "archive", "net"},
    {},  // services/*
    {"server", "cli"},
    {"main"},
};
constexpr int services_tier = 4;

const std::vector<std::string> heavy{"boost/asio", "boost/beast", "openssl/", "sqlite3", "git2",  "libfyaml",
                                     "CLI/",       "simdjson",    "jq.h",     "jv.h",    "curl/", "sodium"};

bool starts_with_any(const std::string& path, const std::vector<std::string>& beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(), [&](const auto& b) { return path.starts_with(b); });
}

bool is_for_tests(const std::string& file) {
  return file.ends_with("_test.cc") || file.find("/testing/") != std::string::npos;
}

bool is_service(const std::string& room) { return room.starts_with("services/"); }

std::string place(const std::string& file, const Include& include) {
  return "src/" + file + ":" + std::to_string(include.line) + ": ";
}

void check_arrow(const std::string& file, const Include& include, std::vector<std::string>& found) {
  const std::string from = room_of(file);
  const std::string to = room_of(include.path);
  if (from == to) return;
  // A test may drive its room through others; that makes no arrow in what ships.
  if (is_for_tests(file) && !(is_service(from) && is_service(to))) return;
  if (tier_of(to) < 0) {
    found.push_back(place(file, include) + "the room '" + to + "' has no tier; give it one in tests/include_graph.");
  } else if (tier_of(to) == tier_of(from)) {
    found.push_back(place(file, include) + from + " includes its neighbour " + to +
                    "; what both need belongs below them.");
  } else if (tier_of(to) > tier_of(from)) {
    found.push_back(place(file, include) + from + " includes " + to +
                    ", which stands above it; turn the arrow around.");
  }
}

std::set<std::string> public_headers(const Sources& sources) {
  std::set<std::string> headers;
  for (const auto& [file, includes] : sources)
    for (const auto& include : includes)
      if (include.quoted && room_of(include.path) != room_of(file)) headers.insert(include.path);
  return headers;
}

// The file and what it includes of ours, however far.
void collect(const Sources& sources, const std::string& file, std::set<std::string>& seen) {
  const auto found = sources.find(file);
  if (found == sources.end() || !seen.insert(file).second) return;
  for (const auto& include : found->second)
    if (include.quoted) collect(sources, include.path, seen);
}

void check_weight(const Sources& sources, std::vector<std::string>& found) {
  std::set<std::string> open;
  for (const auto& header : public_headers(sources)) collect(sources, header, open);
  for (const auto& file : open) {
    if (is_for_tests(file) || file == "core/task.h") continue;
    for (const auto& include : sources.at(file))
      if (!include.quoted && starts_with_any(include.path, heavy))
        found.push_back(place(file, include) + "other rooms come to include <" + include.path +
                        "> through this header; move it into a .cc file.");
  }
}

bool reaches(const std::map<std::string, std::set<std::string>>& graph, const std::string& from,
             const std::string& to) {
  if (from == to) return true;
  const auto found = graph.find(from);
  return found != graph.end() && std::any_of(found->second.begin(), found->second.end(),
                                             [&](const auto& next) { return reaches(graph, next, to); });
}

bool follows_from_others(const std::map<std::string, std::set<std::string>>& graph, const std::string& from,
                         const std::string& to) {
  const auto& next = graph.at(from);
  return std::any_of(next.begin(), next.end(),
                     [&](const auto& step) { return step != to && reaches(graph, step, to); });
}

std::string node(const std::string& room) {
  std::string name = room;
  std::replace(name.begin(), name.end(), '/', '_');
  return name;
}

}  // namespace

std::vector<Include> includes_of(const std::string& text) {
  std::vector<Include> includes;
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    const auto hash = line.find_first_not_of(" \t");
    if (hash == std::string::npos || line[hash] != '#') continue;
    const auto word = line.find_first_not_of(" \t", hash + 1);
    if (word == std::string::npos || line.compare(word, 7, "include") != 0) continue;
    const auto open = line.find_first_of("\"<", word);
    if (open == std::string::npos) continue;
    const bool quoted = line[open] == '"';
    const auto close = line.find(quoted ? '"' : '>', open + 1);
    if (close != std::string::npos) includes.push_back({line.substr(open + 1, close - open - 1), quoted, number});
  }
  return includes;
}

Sources read_sources(const std::string& src_folder) {
  Sources sources;
  for (const auto& entry : fs::recursive_directory_iterator(src_folder)) {
    const auto extension = entry.path().extension();
    if (!entry.is_regular_file() || (extension != ".h" && extension != ".cc")) continue;
    std::ifstream in(entry.path());
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    sources[fs::relative(entry.path(), src_folder).generic_string()] = includes_of(text);
  }
  return sources;
}

std::string room_of(const std::string& file) {
  const auto first = file.find('/');
  if (first == std::string::npos) return "main";
  if (file.substr(0, first) != "services") return file.substr(0, first);
  return file.substr(0, file.find('/', first + 1));
}

int tier_of(const std::string& room) {
  if (is_service(room)) return services_tier;
  for (size_t tier = 0; tier < tiers.size(); ++tier)
    if (std::find(tiers[tier].begin(), tiers[tier].end(), room) != tiers[tier].end()) return static_cast<int>(tier);
  return -1;
}

std::vector<std::string> breaches(const Sources& sources) {
  std::vector<std::string> found;
  for (const auto& [file, includes] : sources)
    for (const auto& include : includes) {
      if (!include.quoted) continue;
      if (!sources.contains(include.path)) {
        found.push_back(place(file, include) + "\"" + include.path +
                        "\" is no file of src/; ours are \"room/file.h\".");
      } else {
        check_arrow(file, include, found);
      }
    }
  check_weight(sources, found);
  return found;
}

std::map<std::string, std::set<std::string>> arrows(const Sources& sources) {
  std::map<std::string, std::set<std::string>> graph;
  for (const auto& [file, includes] : sources) {
    if (is_for_tests(file)) continue;
    auto& to = graph[room_of(file)];
    for (const auto& include : includes)
      if (include.quoted && room_of(include.path) != room_of(file)) to.insert(room_of(include.path));
  }
  return graph;
}

std::string draw(const Sources& sources) {
  const auto graph = arrows(sources);
  std::ostringstream out;
  out << "```mermaid\nflowchart TD\n";
  for (int tier = static_cast<int>(tiers.size()) - 1; tier >= 0; --tier) {
    out << "  subgraph tier" << tier << "[\" \"]\n    direction LR\n";
    for (const auto& [room, to] : graph)
      if (tier_of(room) == tier) out << "    " << node(room) << "[" << room.substr(room.rfind('/') + 1) << "]\n";
    out << "  end\n";
  }
  for (const auto& [room, to] : graph)
    for (const auto& target : to)
      if (!follows_from_others(graph, room, target)) out << "  " << node(room) << " --> " << node(target) << "\n";
  out << "```\n\n| room | includes |\n|---|---|\n";
  for (const auto& [room, to] : graph) {
    out << "| " << room << " |";
    for (const auto& target : to) out << (target == *to.begin() ? " " : ", ") << target;
    out << " |\n";
  }
  return out.str();
}

}  // namespace headrace::include_graph
