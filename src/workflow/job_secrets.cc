#include "workflow/job_secrets.h"

#include "workflow/expression.h"

namespace headrace::workflow {

using core::Code;
using core::Result;

namespace {

namespace json = core::json;

constexpr std::string_view secrets_context[] = {"secrets"};

JobSecrets::Names names_in(const json::value* list) {
  if (list == nullptr || !list->is_array()) return std::nullopt;  // "all", or a spec of before this was said
  std::set<std::string> names;
  for (const json::value& name : list->get_array())
    if (name.is_string()) names.insert(fold_case(name.get_string()));
  return names;
}

// The secrets that the texts of a mapping name.
JobSecrets::Names names_of(const json::object& mapping) {
  std::set<std::string> names;
  bool all = false;
  for (const auto& [name, text] : mapping) {
    if (!text.is_string()) continue;
    auto read = Template::parse(text.get_string(), {secrets_context});
    if (!read) continue;
    read->visit([&](const Reference& reference) {
      if (reference.kind != Reference::Kind::context) return;
      bool named = !reference.path.empty() && reference.path[0].has_value();
      if (named) names.insert(fold_case(*reference.path[0]));
      all = all || !named;
    });
  }
  if (all) return std::nullopt;
  return names;
}

Object object_of(const JobSecrets::Values& values) {
  Object object;
  for (const auto& [name, value] : values) object.set(name, Value(value));
  return object;
}

Result<Object> passed_on(const json::object& mapping, const Object& outer) {
  Object contexts, inner;
  contexts.set("secrets", Value(outer));
  for (const auto& [name, text] : mapping) {
    if (!text.is_string()) continue;
    auto read = Template::parse(text.get_string(), {secrets_context});
    auto value = read ? read->evaluate_text(contexts) : std::unexpected(read.error());
    if (!value)
      return core::fail(Code::invalid,
                        "The secret '" + std::string(name) + "' cannot be passed on: " + value.error().message);
    inner.set(std::string(name), Value(std::move(*value)));
  }
  return inner;
}

}  // namespace

JobSecrets::JobSecrets(const json::value& spec) : used_(names_in(core::find(spec, "secrets_used"))) {
  environment_ = core::string_at(spec, "environment").value_or("");
  const json::value* passed = core::find(spec, "secrets");
  of_repository_ = of_environment_ = std::set<std::string>();
  if (passed == nullptr || *passed == "withheld") return;
  if (!environment_.empty()) of_environment_ = used_;
  if (*passed == "all") of_repository_ = used_;
  if (passed->is_object()) layers_.push_back(*passed);
  if (passed->is_array()) layers_ = passed->get_array();
  for (const json::value& layer : layers_)
    if (!layer.is_object()) layers_.clear();  // of a newer version: nothing is better than too much
  if (!layers_.empty()) of_repository_ = names_of(layers_.front().get_object());
}

Result<JobSecrets::Values> JobSecrets::given(const Values& of_repository, const Values& of_environment,
                                             const std::string& token) const {
  Object names = object_of(of_repository);
  if (!layers_.empty() && !token.empty()) names.set("GITHUB_TOKEN", Value(token));
  for (const json::value& layer : layers_) {
    auto inner = passed_on(layer.get_object(), names);
    if (!inner) return std::unexpected(inner.error());
    names = std::move(*inner);
  }
  for (const auto& [name, value] : of_environment) names.set(name, Value(value));
  Values values;
  for (const auto& [name, value] : names) {
    bool wanted = !used_ || used_->contains(fold_case(name));
    if (wanted && !value.to_text().empty()) values.emplace_back(name, value.to_text());
  }
  return values;
}

}  // namespace headrace::workflow
