// The only file that knows libfyaml: its events become our tree. The document API is left alone, for it resolves
// aliases without a bound.
#include "workflow/yaml.h"

#include <libfyaml.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

#include "core/bytes.h"

namespace headrace::workflow {
namespace {

constexpr int mending_passes_max = 16;  // each costs as much as the file; one mends all that do not hide each other
constexpr size_t pairs_expected = 4;    // of a mapping: room for them is made at once

struct Refusal {  // unwinds the recursion over nodes; caught in parse_yaml
  Finding finding;
};

[[noreturn]] void refuse(Position at, std::string message) { throw Refusal{{at, std::move(message)}}; }

// Errors are collected, never printed.
struct Parser {
  explicit Parser(std::string_view text) : source(text) {
    fy_diag_cfg quiet;
    fy_diag_cfg_default(&quiet);
    quiet.fp = nullptr;
    quiet.output_fn = [](fy_diag*, void*, const char*, size_t) {};
    diagnostics.reset(fy_diag_create(&quiet));
    fy_diag_set_collect_errors(diagnostics.get(), true);
    fy_parse_cfg config{};
    config.flags = static_cast<fy_parse_cfg_flags>(FYPCF_QUIET | FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE |
                                                   FYPCF_SLOPPY_FLOW_INDENTATION);
    config.diag = diagnostics.get();
    parser.reset(fy_parser_create(&config));
    fy_parser_set_string(parser.get(), text.data(), text.size());
  }

  Finding failure() const {
    void* at = nullptr;
    const fy_diag_error* error = fy_diag_errors_iterate(diagnostics.get(), &at);
    if (error == nullptr) return {{1, 1}, "The file is no YAML."};
    return {{error->line, error->column}, std::string("The file is no YAML here: ") + error->msg + "."};
  }

  std::string_view source;
  std::unique_ptr<fy_diag, decltype(&fy_diag_destroy)> diagnostics{nullptr, fy_diag_destroy};
  std::unique_ptr<fy_parser, decltype(&fy_parser_destroy)> parser{nullptr, fy_parser_destroy};
};

class Event {
 public:
  explicit Event(const Parser& parser)
      : source_(parser.source), parser_(parser.parser.get()), event_(fy_parser_parse(parser_)) {
    if (event_ == nullptr && fy_parser_get_stream_error(parser_)) throw Refusal{parser.failure()};
    if (type() == FYET_SCALAR) style_ = fy_event_get_node_style(event_);
  }
  ~Event() {
    if (event_ != nullptr) fy_parser_event_free(parser_, event_);
  }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  fy_event_type type() const { return event_ == nullptr ? FYET_STREAM_END : event_->type; }
  Position at() const {  // {}: of a value that is not written at all
    const fy_mark* mark = fy_event_start_mark(event_);
    if (mark == nullptr || (type() == FYET_SCALAR && fy_event_get_token(event_) == nullptr)) return {};
    if (block()) return {mark->line, 1};                         // libfyaml's mark is in the line below | or >
    return {mark->line + 1, mark->column + (quoted() ? 0 : 1)};  // libfyaml's mark is behind the quote
  }
  std::string text() const {
    bool single = style_ == FYNS_SINGLE_QUOTED;
    const fy_mark* mark = single ? fy_event_start_mark(event_) : nullptr;
    if (mark != nullptr && mark->input_pos > 0 && source_.substr(mark->input_pos - 1, 1) == "'") {
      return single_quoted(source_, mark->input_pos);
    }
    return text_of(fy_event_get_token(event_));
  }
  std::string anchor() const {
    if (type() != FYET_SCALAR && type() != FYET_SEQUENCE_START && type() != FYET_MAPPING_START) return {};
    return text_of(fy_event_get_anchor_token(event_));
  }
  Position tag_at() const {
    const fy_mark* mark = fy_token_start_mark(fy_event_get_tag_token(event_));
    return mark == nullptr ? at() : Position{mark->line + 1, mark->column + 1};
  }
  std::string tag() const { return text_of(fy_event_get_tag_token(event_)); }
  bool plain() const {  // what is not written at all has no style, and is plain too
    return !quoted() && !block();
  }
  bool block() const { return style_ == FYNS_LITERAL || style_ == FYNS_FOLDED; }
  bool is_merge() const {
    if (type() != FYET_SCALAR || !plain()) return false;
    size_t size = 0;
    fy_token* token = fy_event_get_token(event_);
    const char* text = token == nullptr ? nullptr : fy_token_get_text(token, &size);
    return text != nullptr && std::string_view(text, size) == "<<";
  }
  bool literal() const { return style_ == FYNS_LITERAL; }

 private:
  bool quoted() const { return style_ == FYNS_SINGLE_QUOTED || style_ == FYNS_DOUBLE_QUOTED; }
  static std::string text_of(fy_token* token) {
    size_t size = 0;
    const char* text = token == nullptr ? nullptr : fy_token_get_text(token, &size);
    return text == nullptr ? std::string() : std::string(text, size);
  }

  std::string_view source_;
  fy_parser* parser_;
  fy_event* event_;
  fy_node_style style_ = FYNS_ANY;  // of a scalar
};

// The keys of a mapping that grows: looked through one by one while they are few, by a tree from then on, so that no
// choice of keys makes it slow.
class Keys {
 public:
  // The key of that text; null where the mapping has none yet.
  const Node* find(const Node& mapping, const std::string& text) {
    if (mapping.pairs.size() <= linear_max) {
      for (const Pair& pair : mapping.pairs) {
        if (pair.key.text == text) return &pair.key;
      }
      return nullptr;
    }
    for (; known_ < mapping.pairs.size(); ++known_) places_.emplace(mapping.pairs[known_].key.text, known_);
    auto found = places_.find(text);
    return found == places_.end() ? nullptr : &mapping.pairs[found->second].key;
  }

 private:
  static constexpr size_t linear_max = 16;
  std::map<std::string, size_t> places_;
  size_t known_ = 0;  // how many of the pairs are in it
};

// The lines of the source, for what libfyaml does not tell or tells wrongly.
class Lines {
 public:
  explicit Lines(std::string_view source) : source_(source) {}

  std::string_view source() const { return source_; }

  // Of an item that is a dash and nothing more: behind the next dash of the sequence that begins at `sequence`,
  // `before` being its last item; of its first one where that is null. {} where there is none, as in a flow sequence.
  Position next_dash(Position sequence, const Position* before) {
    for (int line = before == nullptr ? sequence.line : before->line + 1;; ++line) {
      auto text = at(line);
      if (!text) return {};
      auto column = static_cast<size_t>(sequence.column) - 1;
      bool reaches = before == nullptr || text->find_first_not_of(' ') == column;
      bool dash = column < text->size() && (*text)[column] == '-' &&
                  (column + 1 == text->size() || std::string_view(" \t\r").contains((*text)[column + 1]));
      if (reaches && dash) return {line, sequence.column + 1};
      if (before == nullptr) return {};
    }
  }

  // A line by its number, from 1, without its line feed.
  std::optional<std::string_view> at(int line) {
    if (starts_.empty()) {
      starts_.push_back(0);
      for (size_t at = source_.find('\n'); at != std::string_view::npos; at = source_.find('\n', at + 1))
        starts_.push_back(at + 1);
    }
    if (line < 1 || static_cast<size_t>(line) > starts_.size()) return std::nullopt;
    auto start = starts_[static_cast<size_t>(line) - 1];
    return source_.substr(start, source_.find('\n', start) - start);
  }

 private:
  std::string_view source_;
  std::vector<size_t> starts_;  // of its lines, once one was asked for
};

// What is to be written in another way before libfyaml reads it rightly.
struct Mending {
  size_t at = 0, size = 0;  // in the source
  std::string with;
};

size_t indentation(std::string_view line) { return std::min(line.find_first_not_of(' '), line.size()); }

bool is_blank(std::string_view line) { return line.find_first_not_of(" \r") == std::string_view::npos; }

// How long the head of a block is that begins here ("|", ">-", "|2+"), nothing behind it but a remark; 0: none does.
size_t block_head(std::string_view text) {
  if (!text.starts_with('|') && !text.starts_with('>')) return 0;
  size_t size = std::min(text.find_first_not_of("+-123456789", 1), text.size());
  size_t next = std::min(text.find_first_not_of(" \t\r", size), text.size());
  return next == text.size() || (text[next] == '#' && next > size) ? size : 0;
}

// A block (`|`, `>`) with nothing in it. libfyaml 0.7 takes what follows at the depth of its key or dash for its text,
// and one that ends the file for a NUL: `- run: |` before `shell: bash` would run the shell's name.
class EmptyBlocks {
 public:
  explicit EmptyBlocks(Lines& lines) : lines_(lines) {}

  void look_at_value(Node& value, int key_line) {
    auto text = lines_.at(key_line);
    if (text) look_at(value, begin_of(*text).column);
  }
  void look_at_item(Node& item) {
    auto text = lines_.at(item.at.line);
    if (text) look_at(item, begin_of(*text).dash);
  }
  const std::vector<Mending>& mendings() const { return mendings_; }

 private:
  struct Begin {
    std::optional<size_t> column, dash;  // of what stands behind the dashes; of the last dash
  };
  static Begin begin_of(std::string_view line) {
    Begin begin;
    size_t at = indentation(line);
    while (at + 1 < line.size() && (line[at] == '-' || line[at] == '?') && line[at + 1] == ' ') {
      begin.dash = at;
      at = std::min(line.find_first_not_of(' ', at + 1), line.size());
    }
    begin.column = at;
    return begin;
  }

  void look_at(Node& block, std::optional<size_t> parent) {
    auto head_line = lines_.at(block.at.line);
    if (!parent || !head_line) return;
    int next = block.at.line + 1;
    std::string ends;  // of the lines within, which `+` keeps
    std::optional<std::string_view> line;
    for (; (line = lines_.at(next)) && is_blank(*line); ++next) {
      if (lines_.at(next + 1) || !line->empty()) ends += '\n';
    }
    if (line && indentation(*line) > *parent) return;
    for (size_t at = 1; at < head_line->size(); ++at) {
      bool apart = (*head_line)[at - 1] == ' ' || (*head_line)[at - 1] == '\t';
      size_t size = apart ? block_head(head_line->substr(at)) : 0;
      if (size == 0) continue;
      if (!head_line->substr(at, size).contains('+')) ends.clear();
      settle(block, static_cast<size_t>(head_line->data() - lines_.source().data()) + at, size, std::move(ends));
      return;
    }
  }

  void settle(Node& block, size_t at, size_t size, std::string text) {
    bool took_more = block.text.find_first_not_of(std::string_view("\n\0", 2)) != std::string::npos;
    block.text = std::move(text);
    if (!took_more) return;
    std::string with = "\"";
    for (size_t i = 0; i < block.text.size(); ++i) with += "\\n";
    mendings_.push_back({at, size, with + "\""});
  }

  Lines& lines_;
  std::vector<Mending> mendings_;  // in the order of the source
};

class Builder {
 public:
  Builder(const Parser& parser, size_t depth, std::vector<Finding>& errors)
      : parser_(parser), depth_max_(depth), lines_(parser.source), empty_blocks_(lines_), errors_(errors) {}

  // Where this is not empty, all that was read and said is to be thrown away.
  const std::vector<Mending>& mendings() const { return empty_blocks_.mendings(); }

  Node document() {
    while (true) {
      Event event(parser_);
      if (event.type() == FYET_STREAM_END) return {};
      if (event.type() == FYET_DOCUMENT_START) break;
    }
    Event first(parser_);
    Node root = node(first, 1);
    if (root.at.line == 0) root.at = {1, 1};
    refuse_second_document();
    return root;
  }

 private:
  struct Anchored {
    Node node;
    size_t nodes = 0;
    bool complete = false;
  };

  void refuse_second_document() {
    while (true) {
      Event event(parser_);
      if (event.type() == FYET_STREAM_END) return;
      if (event.type() == FYET_DOCUMENT_START) {
        refuse(event.at(), "A second document begins here; a workflow is one document.");
      }
    }
  }

  void spend(size_t nodes, Position at) {
    nodes_ += nodes;
    if (nodes_ > nodes_max) refuse(at, "The file is larger than 50000 values, aliases counted; split it.");
  }

  Node node(const Event& event, size_t depth) {
    if (depth > depth_max_) {
      refuse(event.at(),
             "Maximum object depth exceeded: values are nested deeper than " + std::to_string(depth_max_) + " levels.");
    }
    if (event.type() == FYET_ALIAS) return alias(event);
    size_t before = nodes_;
    spend(1, event.at());
    std::string anchor = event.anchor();
    if (!anchor.empty()) anchors_[anchor] = {};
    Node made = content(event, depth);
    if (!anchor.empty()) {
      size_t nodes = nodes_ - before;
      spend(nodes, made.at);  // the copy that is kept
      anchors_[anchor] = {made, nodes, true};
    }
    return made;
  }

  Node content(const Event& event, size_t depth) {
    Node made;
    made.at = event.at();
    if (event.type() == FYET_SCALAR) {
      scalar(event, made);
    } else if (event.type() == FYET_SEQUENCE_START) {
      check_tag(event, {"seq"});
      sequence(made, depth);
    } else if (event.type() == FYET_MAPPING_START) {
      check_tag(event, {"map"});
      mapping(made, depth);
    } else {
      refuse(made.at, "A value is expected here.");
    }
    return made;
  }

  Node alias(const Event& event) {
    auto found = anchors_.find(event.text());
    Position at = event.at();
    if (found == anchors_.end()) refuse(at, "There is no anchor &" + event.text() + " before this alias.");
    if (!found->second.complete) refuse(at, "The alias *" + event.text() + " stands within its own anchor.");
    spend(found->second.nodes, at);
    Node copy = found->second.node;
    copy.at = at;
    return copy;
  }

  // The last part of a tag of YAML itself, "str"; others have no meaning here.
  static std::string check_tag(const Event& event, std::initializer_list<std::string_view> good) {
    std::string tag = event.tag();
    if (tag.empty() || tag == "!") return tag;
    std::string kind;
    for (std::string_view prefix : {"tag:yaml.org,2002:", "!!"}) {
      if (tag.starts_with(prefix)) kind = tag.substr(prefix.size());
    }
    if (std::ranges::find(good, kind) == good.end()) refuse(event.tag_at(), "Unexpected tag '" + tag + "'. Remove it.");
    return kind;
  }

  static std::string_view name_of_tag(Node::Kind kind) {
    if (kind == Node::Kind::boolean) return "bool";
    if (kind == Node::Kind::number) return "float";
    return kind == Node::Kind::null ? "null" : "str";
  }

  static std::string misfit(const std::string& text, Position at, const std::string& tag) {
    return "The value '" + text + "' on line " + std::to_string(at.line) + " and column " + std::to_string(at.column) +
           " is invalid for the type '" + tag + "'.";
  }

  static void scalar(const Event& event, Node& made) {
    std::string tag = check_tag(event, {"str", "int", "float", "bool", "null"});
    std::string text = event.text();
    bool plain = tag.empty() ? event.plain() : tag != "str" && tag != "!";
    if (plain) {
      resolve_plain(text, made);
      bool fits = tag.empty() || tag == name_of_tag(made.kind) || (tag == "int" && made.kind == Node::Kind::number);
      if (!fits) refuse(made.at, misfit(text, event.tag_at(), event.tag()));
      return;
    }
    made.kind = Node::Kind::string;
    made.block = event.literal();
    made.text = std::move(text);
  }

  void sequence(Node& made, size_t depth) {
    made.kind = Node::Kind::sequence;
    while (true) {
      Event item(parser_);
      if (item.type() == FYET_SEQUENCE_END) return;
      Node next = node(item, depth + 1);
      if (next.at.line == 0) next.at = lines_.next_dash(made.at, made.items.empty() ? nullptr : &made.items.back().at);
      if (next.at.line == 0) next.at = made.at;
      if (item.block()) {
        empty_blocks_.look_at_item(next);
        next.at.column = made.at.column + 2;
      }
      made.items.push_back(std::move(next));
    }
  }

  void mapping(Node& made, size_t depth) {
    made.kind = Node::Kind::mapping;
    made.pairs.reserve(pairs_expected);
    Keys keys;
    std::vector<Node> merged;
    while (true) {
      Event start(parser_);
      if (start.type() == FYET_MAPPING_END) break;
      bool merge = start.is_merge();
      Node key = node(start, depth + 1);
      if (key.at.line == 0) key.at = made.pairs.empty() ? made.at : made.pairs.back().value.at;
      if (!key.is_scalar()) refuse(key.at, "A key must be a string, not " + std::string(name_of(key.kind)) + ".");
      Event follows(parser_);
      Node value = node(follows, depth + 1);
      if (value.at.line == 0) value.at = behind(key);
      if (follows.block()) empty_blocks_.look_at_value(value, key.at.line);
      if (follows.block() && value.at.line == key.at.line) value.at.column = behind(key).column + 1;
      if (merge) {
        merged.push_back(std::move(value));
        continue;
      }
      if (const Node* before = keys.find(made, key.text)) {
        tell(key.at, "'" + key.text + "' is already defined" + in_line(before->at.line) + "; remove one.");
        continue;
      }
      made.pairs.push_back({std::move(key), std::move(value)});
    }
    for (Node& node : merged) merge_into(made, std::move(node), keys);
  }

  // What does not keep the rest from being read.
  void tell(Position at, std::string message) {
    if (errors_.size() < findings_max) errors_.push_back({at, std::move(message)});
  }

  // Where a value would stand that is left out: behind the key and its colon.
  static Position behind(const Node& key) {
    return {key.at.line, key.at.column + static_cast<int>(key.text.size()) + 1};
  }

  static std::string in_line(int line) { return " in line " + std::to_string(line); }

  // YAML's merge key: keys of the mapping itself count first, then those of earlier mappings.
  static void merge_into(Node& made, Node from, Keys& keys) {
    if (from.kind == Node::Kind::sequence) {
      for (Node& item : from.items) merge_into(made, std::move(item), keys);
      return;
    }
    if (from.kind != Node::Kind::mapping) refuse(from.at, "'<<' merges a mapping, or a sequence of mappings.");
    for (Pair& pair : from.pairs) {
      if (keys.find(made, pair.key.text) == nullptr) made.pairs.push_back(std::move(pair));
    }
  }

  const Parser& parser_;
  size_t depth_max_;
  Lines lines_;
  EmptyBlocks empty_blocks_;
  std::vector<Finding>& errors_;
  std::map<std::string, Anchored> anchors_;
  size_t nodes_ = 0;
};

// Where a text stops being one: bytes that are no UTF-8, or a NUL.
Position first_odd_byte(std::string_view text) {
  std::string valid = core::to_valid_utf8(std::string(text));
  auto odd = static_cast<size_t>(std::ranges::mismatch(text, valid).in1 - text.begin());
  odd = std::min({odd, text.find('\0'), text.size()});
  auto before = text.substr(0, odd);
  auto line = before.rfind('\n');
  size_t column = line == std::string_view::npos ? odd : odd - line - 1;
  return {static_cast<int>(std::ranges::count(before, '\n')) + 1, static_cast<int>(column) + 1};
}

// True where the text is to be read again, as it stands in `mended` then.
bool read(std::string_view text, size_t depth, std::string& mended, Tree& tree) {
  tree.errors.clear();
  Parser parser(text);
  Builder builder(parser, depth, tree.errors);
  try {
    tree.root = builder.document();
    tree.broken = false;
  } catch (Refusal& refusal) {
    if (refusal.finding.at.line == 0) refusal.finding.at = {1, 1};
    if (tree.errors.size() < findings_max) tree.errors.push_back(std::move(refusal.finding));
  }
  if (builder.mendings().empty()) return false;
  tree.broken = true;
  std::string whole;
  size_t begin = 0;
  for (const Mending& mending : builder.mendings()) {
    whole.append(text.substr(begin, mending.at - begin)).append(mending.with);
    begin = mending.at + mending.size;
  }
  whole.append(text.substr(begin));
  mended = std::move(whole);  // `text` may stand in it
  return true;
}

}  // namespace

Tree parse_yaml(std::string_view text, size_t depth) {
  Tree tree;
  tree.broken = true;
  if (text.size() > file_bytes_max) {
    tree.errors.push_back({{1, 1}, "The file is larger than 512 KiB; split it."});
  } else if (!core::is_utf8(text) || text.contains('\0')) {
    tree.errors.push_back({first_odd_byte(text), "The file is no text in UTF-8 here; save it as such."});
  } else {
    std::string mended;
    for (int pass = 0; read(text, depth, mended, tree); ++pass) {
      text = mended;
      if (pass < mending_passes_max) continue;
      tree.errors.assign(1,
                         {{1, 1}, "Many blocks (`|`, `>`) with nothing in them follow each other; write '' for them."});
      break;
    }
    std::ranges::stable_sort(tree.errors, [](const Finding& a, const Finding& b) {
      return std::tie(a.at.line, a.at.column) < std::tie(b.at.line, b.at.column);
    });
  }
  return tree;
}

}  // namespace headrace::workflow
