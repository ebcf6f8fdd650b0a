#include "services/runner/protocol.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/json.h"

namespace headrace::runner {

namespace json = core::json;
using core::Code;
using core::Result;

namespace {

constexpr size_t log_head_bytes = 16;

json::array of(const std::vector<Token>& tokens) {
  json::array list;
  for (Token token : tokens) list.push_back(token);
  return list;
}

json::object of(const events::StepResult& step) {
  json::object object{{"number", step.number}, {"name", step.name}, {"conclusion", events::name_of(step.conclusion)}};
  if (step.started_at) object["started_at"] = core::format_time(*step.started_at);
  if (step.completed_at) object["completed_at"] = core::format_time(*step.completed_at);
  if (step.exit_code) object["exit_code"] = *step.exit_code;
  return object;
}

json::object of(const events::TestTotals& totals) {
  return {{"suites", totals.suites},   {"cases", totals.cases},     {"passed", totals.passed},
          {"failed", totals.failed},   {"errored", totals.errored}, {"skipped", totals.skipped},
          {"not_run", totals.not_run}, {"flaky", totals.flaky},     {"duration_us", totals.duration_us}};
}

json::object of(const Variables& variables) {
  json::object object;
  for (const auto& [name, value] : variables) object[name] = value;
  return object;
}

json::object of(const JobGrant& grant) {
  return {{"token", grant.token},
          {"secrets", of(grant.secrets)},
          {"server_url", grant.server_url},
          {"results_url", grant.results_url},
          {"cache_url", grant.cache_url},
          {"runtime_token", grant.runtime_token},
          {"actions_token", grant.actions_token}};
}

json::object of(const events::JobAnnotation& note) {
  return {{"level", note.level}, {"message", note.message},   {"title", note.title},   {"file", note.file},
          {"line", note.line},   {"end_line", note.end_line}, {"column", note.column}, {"end_column", note.end_column},
          {"step", note.step}};
}

// One writer a message; the type's name is put in by the caller.
struct Writer {
  json::object operator()(const Hello& hello) const {
    json::array labels;
    for (const auto& [label, executor] : hello.labels) labels.push_back(json::array{label, executor});
    return {
        {"type", "hello"},      {"protocol", protocol_version}, {"runner", hello.runner}, {"instance", hello.instance},
        {"slots", hello.slots}, {"labels", std::move(labels)},  {"jobs", of(hello.jobs)}};
  }
  json::object operator()(const Renew& renew) const { return {{"type", "renew"}, {"jobs", of(renew.jobs)}}; }
  json::object operator()(const StepChanged& step) const {
    json::object object{{"type", "step"}, {"token", step.token}, {"number", step.number}, {"name", step.name}};
    if (step.conclusion) object["conclusion"] = events::name_of(*step.conclusion);
    if (step.annotations.empty()) return object;
    json::array annotations;
    for (const auto& note : step.annotations) annotations.push_back(of(note));
    object["annotations"] = std::move(annotations);
    return object;
  }
  json::object operator()(const Begin& begin) const { return {{"type", "begin"}, {"token", begin.token}}; }
  json::object operator()(const Begun& begun) const { return {{"type", "begun"}, {"token", begun.token}}; }
  json::object operator()(const Reported& reported) const {
    json::array packed;
    for (const auto& part : reported.parts) packed.emplace_back(part);
    return {{"type", "report"},
            {"token", reported.token},
            {"number", reported.number},
            {"step", reported.step},
            {"file", reported.file},
            {"told", reported.told},
            {"totals", of(reported.totals)},
            {"parts", std::move(packed)}};
  }
  json::object operator()(const Summary& summary) const {
    return {{"type", "summary"},
            {"token", summary.token},
            {"number", summary.number},
            {"step", summary.step},
            {"markdown", core::to_base64(core::as_bytes(summary.markdown))}};
  }
  json::object operator()(const Lost& lost) const {
    return {{"type", "lost"}, {"token", lost.token}, {"reason", lost.reason}};
  }
  json::object operator()(const Told& told) const {
    return {{"type", "told"}, {"token", told.token}, {"number", told.number}, {"again", told.again}};
  }
  json::object operator()(const Finished& finished) const {
    json::array steps;
    for (const auto& step : finished.steps) steps.push_back(of(step));
    json::array outputs, annotations;
    for (const auto& output : finished.outputs) outputs.push_back(json::array{output.name, output.value});
    for (const auto& note : finished.annotations) annotations.push_back(of(note));
    return {{"type", "finished"},
            {"token", finished.token},
            {"conclusion", events::name_of(finished.conclusion)},
            {"errors", finished.errors},
            {"steps", std::move(steps)},
            {"log_bytes", finished.log_bytes},
            {"log_lines", finished.log_lines},
            {"outputs", std::move(outputs)},
            {"annotations", std::move(annotations)},
            {"environment_url", finished.environment_url}};
  }
  json::object operator()(const Welcome& welcome) const {
    return {{"type", "welcome"}, {"protocol", protocol_version}, {"renew_seconds", welcome.renew_seconds}};
  }
  json::object operator()(const Run& run) const {
    return {{"type", "run"},
            {"token", run.token},
            {"job", run.job},
            {"run", run.run},
            {"repository", run.repository},
            {"name", run.name},
            {"executor", run.executor},
            {"attempt", run.attempt},
            {"restricted", run.restricted},
            {"spec", run.spec},
            {"event", run.event},
            {"grant", of(run.grant)}};
  }
  json::object operator()(const Cancel& cancel) const {
    return {{"type", "cancel"}, {"token", cancel.token}, {"reason", cancel.reason}, {"forced", cancel.forced}};
  }
  json::object operator()(const Stale& stale) const {
    return {{"type", "stale"}, {"token", stale.token}, {"reason", stale.reason}};
  }
  json::object operator()(const LogHave& have) const {
    return {{"type", "log_have"}, {"token", have.token}, {"bytes", have.bytes}, {"resend", have.resend}};
  }
  json::object operator()(const Settled& settled) const { return {{"type", "settled"}, {"token", settled.token}}; }
  json::object operator()(const Drain&) const { return {{"type", "drain"}}; }
  json::object operator()(const Refused& refused) const { return {{"type", "refused"}, {"reason", refused.reason}}; }
};

// Reads members and remembers the first that is missing or of the wrong kind.
class Reader {
 public:
  explicit Reader(const json::value& value) : value_(value) {}

  std::string text(std::string_view key) {
    auto found = core::string_at(value_, key);
    if (!found) note(key);
    return found.value_or("");
  }
  int64_t number(std::string_view key) {
    auto found = core::integer_at(value_, key);
    if (!found) note(key);
    return found.value_or(0);
  }
  uint64_t count(std::string_view key) {
    int64_t found = number(key);
    if (found < 0) note(key);
    return found < 0 ? 0 : static_cast<uint64_t>(found);
  }
  bool boolean(std::string_view key) {
    auto found = core::boolean_at(value_, key);
    if (!found) note(key);
    return found.value_or(false);
  }
  const json::array& list(std::string_view key) {
    static const json::array none;
    const auto* member = core::find(value_, key);
    if (!member || !member->is_array()) return note(key), none;
    return member->get_array();
  }
  std::vector<Token> tokens(std::string_view key) {
    std::vector<Token> found;
    for (const auto& member : list(key)) {
      if (member.is_int64() && member.get_int64() > 0) {
        found.push_back(static_cast<Token>(member.get_int64()));
      } else {
        note(key);
      }
    }
    return found;
  }
  events::Conclusion conclusion(std::string_view key) {
    auto found = events::parse_conclusion(text(key));
    if (!found) note(key);
    return found.value_or(events::Conclusion::failure);
  }
  std::optional<core::Time> time(std::string_view key) {
    auto written = core::string_at(value_, key);
    if (!written) return std::nullopt;
    auto parsed = core::parse_time(*written);
    if (!parsed) return note(key), std::nullopt;
    return *parsed;
  }
  const json::value& value() const { return value_; }
  void note(std::string_view key) {
    if (wrong_.empty()) wrong_ = key;
  }
  const std::string& wrong() const { return wrong_; }

 private:
  const json::value& value_;
  std::string wrong_;
};

events::StepResult step_of(const json::value& value, Reader& outer) {
  Reader in(value);
  events::StepResult step{.number = in.number("number"),
                          .name = in.text("name"),
                          .conclusion = in.conclusion("conclusion"),
                          .started_at = in.time("started_at"),
                          .completed_at = in.time("completed_at"),
                          .exit_code = core::integer_at(value, "exit_code")};
  if (!in.wrong().empty()) outer.note("steps");
  return step;
}

Message read_hello(Reader& in) {
  Hello hello{.runner = in.text("runner"),
              .instance = in.text("instance"),
              .slots = in.number("slots"),
              .labels = {},
              .jobs = in.tokens("jobs")};
  for (const auto& pair : in.list("labels")) {
    const auto* both = pair.if_array();
    if (both && both->size() == 2 && both->at(0).is_string() && both->at(1).is_string()) {
      hello.labels.emplace_back(both->at(0).get_string(), both->at(1).get_string());
    } else {
      in.note("labels");
    }
  }
  if (in.number("protocol") != protocol_version) in.note("protocol");
  return hello;
}

// Members that a runner or server of before does not say are as if empty.
events::JobAnnotation annotation_of(const json::value& value, Reader& outer) {
  Reader in(value);
  events::JobAnnotation note{.level = in.text("level"),
                             .message = in.text("message"),
                             .title = in.text("title"),
                             .file = in.text("file"),
                             .line = in.number("line"),
                             .end_line = in.number("end_line"),
                             .column = in.number("column"),
                             .end_column = in.number("end_column"),
                             .step = in.number("step")};
  bool known = note.level == "notice" || note.level == "warning" || note.level == "error";
  if (!in.wrong().empty() || !known) outer.note("annotations");
  return note;
}

void read_results(Reader& in, Finished& finished) {
  if (core::find(in.value(), "outputs"))
    for (const auto& pair : in.list("outputs")) {
      const auto* both = pair.if_array();
      if (both && both->size() == 2 && both->at(0).is_string() && both->at(1).is_string()) {
        finished.outputs.push_back({std::string(both->at(0).get_string()), std::string(both->at(1).get_string())});
      } else {
        in.note("outputs");
      }
    }
  if (core::find(in.value(), "annotations"))
    for (const auto& note : in.list("annotations")) finished.annotations.push_back(annotation_of(note, in));
  if (core::find(in.value(), "environment_url")) finished.environment_url = in.text("environment_url");
}

JobGrant grant_of(Reader& outer) {
  JobGrant grant;
  const auto* value = core::find(outer.value(), "grant");
  if (!value) return grant;
  Reader in(*value);
  grant.token = in.text("token");
  grant.server_url = in.text("server_url");
  grant.results_url = in.text("results_url");
  grant.cache_url = in.text("cache_url");
  if (core::find(*value, "runtime_token")) grant.runtime_token = in.text("runtime_token");
  if (core::find(*value, "actions_token")) grant.actions_token = in.text("actions_token");
  const auto* secrets = core::find(*value, "secrets");
  if (!secrets || !secrets->is_object()) return outer.note("grant"), grant;
  for (const auto& [name, secret] : secrets->get_object()) {
    if (!secret.is_string()) return outer.note("grant"), grant;
    grant.secrets.emplace_back(name, secret.get_string());
  }
  if (!in.wrong().empty()) outer.note("grant");
  return grant;
}

Message read_finished(Reader& in) {
  Finished finished{.token = in.count("token"),
                    .conclusion = in.conclusion("conclusion"),
                    .errors = in.text("errors"),
                    .steps = {},
                    .log_bytes = in.count("log_bytes"),
                    .log_lines = in.count("log_lines")};
  for (const auto& step : in.list("steps")) finished.steps.push_back(step_of(step, in));
  read_results(in, finished);
  return finished;
}

events::TestTotals read_totals(Reader& outer) {
  static const json::value none;
  const auto* value = core::find(outer.value(), "totals");
  Reader in(value ? *value : none);
  events::TestTotals totals{.suites = in.number("suites"),
                            .cases = in.number("cases"),
                            .passed = in.number("passed"),
                            .failed = in.number("failed"),
                            .errored = in.number("errored"),
                            .skipped = in.number("skipped"),
                            .not_run = in.number("not_run"),
                            .flaky = in.number("flaky"),
                            .duration_us = in.number("duration_us")};
  if (!in.wrong().empty()) outer.note("totals");
  return totals;
}

Message read_reported(Reader& in) {
  Reported reported{.token = in.count("token"),
                    .step = in.number("step"),
                    .file = in.text("file"),
                    .totals = read_totals(in),
                    .told = in.number("told"),
                    .parts = {},
                    .number = core::integer_at(in.value(), "number").value_or(0)};
  for (const auto& part : in.list("parts")) {
    if (part.is_string())
      reported.parts.emplace_back(part.get_string());
    else
      in.note("parts");
  }
  return reported;
}

Message read_summary(Reader& in) {
  Summary summary{.token = in.count("token"), .number = in.number("number"), .step = in.number("step"), .markdown = {}};
  auto bytes = core::from_base64(in.text("markdown"));
  if (!bytes) in.note("markdown");
  summary.markdown = std::move(bytes).value_or("");
  return summary;
}

std::optional<Message> read(std::string_view type, Reader& in) {
  if (type == "hello") return read_hello(in);
  if (type == "renew") return Renew{in.tokens("jobs")};
  if (type == "step") {
    StepChanged step{
        .token = in.count("token"), .number = in.number("number"), .name = in.text("name"), .conclusion = {}};
    if (core::find(in.value(), "conclusion")) step.conclusion = in.conclusion("conclusion");
    if (core::find(in.value(), "annotations"))
      for (const auto& note : in.list("annotations")) step.annotations.push_back(annotation_of(note, in));
    return step;
  }
  if (type == "report") return read_reported(in);
  if (type == "summary") return read_summary(in);
  if (type == "lost") return Lost{in.count("token"), in.text("reason")};
  if (type == "told") return Told{in.count("token"), in.number("number"), in.boolean("again")};
  if (type == "finished") return read_finished(in);
  if (type == "welcome") return Welcome{in.number("renew_seconds")};
  if (type == "run")
    return Run{in.count("token"),    in.text("job"),
               in.text("run"),       in.text("repository"),
               in.text("name"),      in.text("executor"),
               in.number("attempt"), in.boolean("restricted"),
               in.text("spec"),      core::find(in.value(), "event") ? in.text("event") : "{}",
               grant_of(in)};
  if (type == "begin") return Begin{in.count("token")};
  if (type == "begun") return Begun{in.count("token")};
  if (type == "cancel")
    return Cancel{in.count("token"), in.text("reason"), core::find(in.value(), "forced") && in.boolean("forced")};
  if (type == "stale") return Stale{in.count("token"), in.text("reason")};
  if (type == "log_have") return LogHave{in.count("token"), in.count("bytes"), in.boolean("resend")};
  if (type == "settled") return Settled{in.count("token")};
  if (type == "drain") return Drain{};
  if (type == "refused") return Refused{in.text("reason")};
  return std::nullopt;
}

void put(std::string& out, uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift & 0xff));
}

uint64_t get(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < 8; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

}  // namespace

// What jobs say is in it, and nothing but UTF-8 may be sent as text.
std::string encode(const Message& message) { return core::to_valid_utf8(core::to_text(std::visit(Writer{}, message))); }

Result<Message> decode(std::string_view text) {
  auto value = core::parse_json(text);
  if (!value) return core::pass_on(value.error(), "reading a message of the runner protocol");
  auto type = core::string_at(*value, "type").value_or("");
  Reader in(*value);
  auto message = read(type, in);
  if (!message)
    return core::fail(Code::invalid, "The message type '" + type.substr(0, 40) + "' is not of the runner protocol.");
  if (!in.wrong().empty())
    return core::fail(Code::invalid,
                      "The member '" + in.wrong() + "' of the message '" + type + "' is missing or wrong.");
  return std::move(*message);
}

std::string encode_log(Token token, uint64_t offset, std::string_view bytes) {
  std::string message;
  message.reserve(log_head_bytes + bytes.size());
  put(message, token);
  put(message, offset);
  message.append(bytes);
  return message;
}

Result<LogPiece> decode_log(std::string_view message) {
  if (message.size() <= log_head_bytes || message.size() > log_head_bytes + log_piece_max)
    return core::fail(Code::invalid, "A piece of log is 16 bytes of token and offset, then 1 to 262144 bytes.");
  return LogPiece{get(message), get(message.substr(8)), message.substr(log_head_bytes)};
}

}  // namespace headrace::runner
