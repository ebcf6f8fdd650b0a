#include "services/artifact/block_list.h"

#include <expat.h>

#include <memory>

#include "core/bytes.h"

namespace headrace::artifact {

using core::Code;
using core::Result;

namespace {

struct Reading {
  XML_Parser parser = nullptr;
  std::vector<std::string> ids;
  std::string text;
  int depth = 0;
  std::string problem;

  void refuse(std::string why) {
    if (problem.empty()) problem = std::move(why);
    XML_StopParser(parser, XML_FALSE);
  }
};

Reading& reading(void* data) { return *static_cast<Reading*>(data); }

void begins(void* data, const XML_Char* name, const XML_Char** attributes) {
  Reading& it = reading(data);
  const std::string_view element(name);
  if (attributes[0] != nullptr) return it.refuse("its elements have no attributes");
  if (it.depth == 0 && element != "BlockList") return it.refuse("it begins with <BlockList>");
  if (it.depth == 1 && element != "Latest" && element != "Committed" && element != "Uncommitted")
    return it.refuse("within <BlockList> there are <Latest>, <Committed> and <Uncommitted>");
  if (it.depth > 1) return it.refuse("there is nothing within an id");
  if (it.depth == 1 && it.ids.size() >= blocks_max)
    return it.refuse("a blob has at most " + std::to_string(blocks_max) + " blocks");
  ++it.depth;
  it.text.clear();
}

void ends(void* data, const XML_Char*) {
  Reading& it = reading(data);
  if (--it.depth != 1) return;
  if (!is_block_id(it.text)) return it.refuse("the id of a block is base64 of 1 to 64 bytes");
  it.ids.push_back(std::move(it.text));
}

void says(void* data, const XML_Char* text, int length) {
  Reading& it = reading(data);
  if (it.depth != 2) return;  // blanks between elements
  it.text.append(text, static_cast<size_t>(length));
  if (it.text.size() > block_id_bytes_max) it.refuse("the id of a block is base64 of 1 to 64 bytes");
}

// No entities of its own, so none that grow.
void declares(void* data, const XML_Char*, const XML_Char*, const XML_Char*, int) {
  reading(data).refuse("it has no document type");
}

}  // namespace

bool is_block_id(std::string_view id) {
  if (id.empty() || id.size() > block_id_bytes_max) return false;
  auto bytes = core::from_base64(id);
  return bytes && !bytes->empty() && bytes->size() <= 64;
}

Result<std::vector<std::string>> parse_block_list(std::string_view xml) {
  if (xml.size() > block_list_bytes_max) return core::fail(Code::invalid, "The list of blocks is too long.");
  std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser(XML_ParserCreate("UTF-8"), &XML_ParserFree);
  core::require(parser != nullptr, "there is memory for a parser");
  Reading it;
  it.parser = parser.get();
  XML_SetUserData(parser.get(), &it);
  XML_SetElementHandler(parser.get(), begins, ends);
  XML_SetCharacterDataHandler(parser.get(), says);
  XML_SetStartDoctypeDeclHandler(parser.get(), declares);
  if (XML_Parse(parser.get(), xml.data(), static_cast<int>(xml.size()), XML_TRUE) == XML_STATUS_OK) return it.ids;
  if (it.problem.empty()) it.problem = XML_ErrorString(XML_GetErrorCode(parser.get()));
  return core::fail(Code::invalid, "The list of blocks is wrong in line " +
                                       std::to_string(XML_GetCurrentLineNumber(parser.get())) + ": " + it.problem +
                                       ".");
}

}  // namespace headrace::artifact
