#include "report/xml.h"

#include <expat.h>

#include <array>
#include <new>

namespace headrace::report {

namespace {

constexpr size_t step_bytes = size_t{64} << 10;  // parsed at a time; what is stuck is looked at after each

struct Single {
  unsigned char byte;
  int character;
};
// Where windows-1252 differs from ISO-8859-1 (unicode.org, CP1252.TXT); the five bytes it leaves out are refused.
constexpr std::array<Single, 32> windows_1252{
    {{0x80, 0x20ac}, {0x81, -1},     {0x82, 0x201a}, {0x83, 0x0192}, {0x84, 0x201e}, {0x85, 0x2026}, {0x86, 0x2020},
     {0x87, 0x2021}, {0x88, 0x02c6}, {0x89, 0x2030}, {0x8a, 0x0160}, {0x8b, 0x2039}, {0x8c, 0x0152}, {0x8d, -1},
     {0x8e, 0x017d}, {0x8f, -1},     {0x90, -1},     {0x91, 0x2018}, {0x92, 0x2019}, {0x93, 0x201c}, {0x94, 0x201d},
     {0x95, 0x2022}, {0x96, 0x2013}, {0x97, 0x2014}, {0x98, 0x02dc}, {0x99, 0x2122}, {0x9a, 0x0161}, {0x9b, 0x203a},
     {0x9c, 0x0153}, {0x9d, -1},     {0x9e, 0x017e}, {0x9f, 0x0178}}};
// unicode.org, 8859-15.TXT
constexpr std::array<Single, 8> latin_9{{{0xa4, 0x20ac},
                                         {0xa6, 0x0160},
                                         {0xa8, 0x0161},
                                         {0xb4, 0x017d},
                                         {0xb8, 0x017e},
                                         {0xbc, 0x0152},
                                         {0xbd, 0x0153},
                                         {0xbe, 0x0178}}};

template <size_t N>
int fill(XML_Encoding* info, const std::array<Single, N>& differences) {
  for (int byte = 0; byte < 256; ++byte) info->map[byte] = byte;
  for (const auto& [byte, character] : differences) info->map[byte] = character;
  info->data = nullptr;
  info->convert = nullptr;
  info->release = nullptr;
  return XML_STATUS_OK;
}

std::string lower(std::string_view name) {
  std::string text(name);
  for (char& letter : text)
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  return text;
}

int unknown_encoding(void*, const XML_Char* name, XML_Encoding* info) {
  const std::string wanted = lower(name);
  if (wanted == "windows-1252" || wanted == "cp1252") return fill(info, windows_1252);
  if (wanted == "iso-8859-15") return fill(info, latin_9);
  return XML_STATUS_ERROR;
}

std::string_view local_name(std::string_view name) {
  size_t colon = name.rfind(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

std::string words_for(XML_Error error) {
  switch (error) {
    case XML_ERROR_NO_ELEMENTS: return "The file ends before its first element is closed; was it cut off, or empty?";
    case XML_ERROR_UNCLOSED_TOKEN: return "A tag that begins here does not end; was the file cut off?";
    case XML_ERROR_UNCLOSED_CDATA_SECTION: return "A CDATA section does not end; was the file cut off?";
    case XML_ERROR_TAG_MISMATCH: return "This end tag does not belong to the element that is open.";
    case XML_ERROR_UNDEFINED_ENTITY: return "An entity is used that XML does not know; write the character itself.";
    case XML_ERROR_UNKNOWN_ENCODING:
      return "The encoding that the file names is not read; write UTF-8 (or UTF-16, ISO-8859-1, windows-1252).";
    case XML_ERROR_INVALID_TOKEN:
      return "This is not well-formed XML: a character stands here that must be escaped or may not be in a file.";
    case XML_ERROR_JUNK_AFTER_DOC_ELEMENT:
      return "Something follows the end of the report; were two reports written into one file?";
    default: return "This is not well-formed XML: " + std::string(XML_ErrorString(error)) + ".";
  }
}

}  // namespace

std::string_view Attributes::get(std::string_view name) const {
  for (const char** pair = pairs_; *pair != nullptr; pair += 2)
    if (name == *pair) return pair[1];
  return {};
}

std::string_view Attributes::get(std::string_view name, std::string_view other) const {
  auto value = get(name);
  return value.empty() ? get(other) : value;
}

struct Xml::Impl {
  explicit Impl(XmlListener& heard) : listener(heard), parser(XML_ParserCreate(nullptr)) {
    if (parser == nullptr) throw std::bad_alloc();
    XML_SetUserData(parser, this);
    XML_SetElementHandler(parser, begun, ended);
    XML_SetCharacterDataHandler(parser, said);
    XML_SetStartDoctypeDeclHandler(parser, declared);
    XML_SetUnknownEncodingHandler(parser, unknown_encoding, nullptr);
    XML_SetDefaultHandler(parser, passed_over);
  }
  ~Impl() { XML_ParserFree(parser); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  static Impl& of(void* self) { return *static_cast<Impl*>(self); }
  static void XMLCALL begun(void* self, const XML_Char* name, const XML_Char** attributes) {
    Impl& it = of(self);
    it.moved = true;
    if (it.problem) return;
    if (++it.depth > depth_max)
      return it.refuse("Elements stand more than " + std::to_string(depth_max) + " deep in each other.");
    std::string reason = it.listener.begin(local_name(name), Attributes(attributes));
    if (!reason.empty()) it.refuse(std::move(reason));
  }
  static void XMLCALL ended(void* self, const XML_Char* name) {
    Impl& it = of(self);
    it.moved = true;
    if (it.problem) return;
    --it.depth;
    it.listener.end(local_name(name));
  }
  static void XMLCALL said(void* self, const XML_Char* text, int length) {
    Impl& it = of(self);
    it.moved = true;
    if (!it.problem) it.listener.text({text, static_cast<size_t>(length)});
  }
  static void XMLCALL declared(void* self, const XML_Char*, const XML_Char*, const XML_Char*, int) {
    of(self).refuse(
        "The file has a document type (<!DOCTYPE ...>), which could make it read other files; reports need none, "
        "remove "
        "it.");
  }
  static void XMLCALL passed_over(void* self, const XML_Char*, int) { of(self).moved = true; }

  void refuse(std::string why) {
    if (problem) return;
    problem = here(std::move(why));
    XML_StopParser(parser, XML_FALSE);
  }
  Problem here(std::string why) const {
    return {static_cast<int64_t>(XML_GetCurrentLineNumber(parser)),
            static_cast<int64_t>(XML_GetCurrentColumnNumber(parser)) + 1, std::move(why)};
  }
  std::expected<void, Problem> parse(std::string_view piece, bool last) {
    moved = false;
    auto status = XML_Parse(parser, piece.data(), static_cast<int>(piece.size()), last ? XML_TRUE : XML_FALSE);
    if (status != XML_STATUS_OK && !problem) problem = here(words_for(XML_GetErrorCode(parser)));
    stuck = moved ? 0 : stuck + piece.size();
    // Each piece makes the parser read an unfinished tag again from its beginning.
    if (!problem && stuck > token_bytes_max)
      problem = here("A tag, comment or attribute is longer than " + std::to_string(token_bytes_max) + " bytes.");
    if (problem) return std::unexpected(*problem);
    return {};
  }

  XmlListener& listener;
  XML_Parser parser;
  size_t depth = 0;
  size_t stuck = 0;    // bytes given since anything came of them
  bool moved = false;  // something came of the last piece
  std::optional<Problem> problem;
};

Xml::Xml(XmlListener& listener) : impl_(std::make_unique<Impl>(listener)) {}
Xml::~Xml() = default;

std::expected<void, Problem> Xml::feed(std::string_view piece) {
  if (impl_->problem) return std::unexpected(*impl_->problem);
  for (; !piece.empty(); piece.remove_prefix(std::min(piece.size(), step_bytes)))
    if (auto parsed = impl_->parse(piece.substr(0, step_bytes), false); !parsed) return parsed;
  return {};
}

std::expected<void, Problem> Xml::finish() {
  if (impl_->problem) return std::unexpected(*impl_->problem);
  return impl_->parse({}, true);
}

}  // namespace headrace::report
