// Completion of nouns, verbs and options for bash and zsh, made from the command line itself.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace headrace::cli {

// "run list" -> the words that may follow; "" -> the nouns.
using Words = std::map<std::string, std::vector<std::string>>;

Words words_of(const CLI::App& app);  // command_line.cc
Words all_words();                    // of the whole command line; command_line.cc
int print_completion(const Words& words, const std::string& shell);

}  // namespace headrace::cli
