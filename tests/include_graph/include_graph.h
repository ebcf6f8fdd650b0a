// Reads who includes whom in src/, and says where that breaks the rules of the house:
//   - arrows point down only, from a tier to one below it, and never to a neighbour (so no service includes another);
//     tests and fakes may drive their room through any but, for a service, another service;
//   - a header that another room includes keeps heavy libraries out, its own headers' included: only core/task.h may
//     know Asio, and nobody else's public header Beast, OpenSSL, SQLite, libgit2, libfyaml, CLI11, simdjson, jq, curl
//     or sodium.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace headrace::include_graph {

struct Include {
  std::string path;     // as written between quotes or brackets
  bool quoted = false;  // "ours" rather than <theirs>
  int line = 0;         // from 1
};

using Sources = std::map<std::string, std::vector<Include>>;  // by path relative to src/, "log/event_log.h"

Sources read_sources(const std::string& src_folder);        // every *.h and *.cc below it
std::vector<Include> includes_of(const std::string& text);  // of one file

std::string room_of(const std::string& file);  // "log", "services/runner"; "main" for files of src/ itself
int tier_of(const std::string& room);          // 0 is the ground; -1: a room nobody gave a tier

// One sentence a breach, naming file, line and remedy; empty where the house stands as drawn.
std::vector<std::string> breaches(const Sources& sources);

// Room to the rooms it includes, tests and fakes left out.
std::map<std::string, std::set<std::string>> arrows(const Sources& sources);

// Markdown: a picture of the tiers (arrows that follow from others left out) and the whole table beneath.
std::string draw(const Sources& sources);

}  // namespace headrace::include_graph
