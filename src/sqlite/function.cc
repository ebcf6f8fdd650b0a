#include <sqlite3.h>

#include <array>
#include <exception>

#include "sqlite/impl.h"

namespace headrace::sqlite {
namespace {

constexpr int arguments_max = 8;

struct Defined {
  Function function;
  std::optional<core::Error>* error;  // of the connection, which lives as long as its functions
};

Value value_of(sqlite3_value* argument) {
  switch (sqlite3_value_type(argument)) {
    case SQLITE_INTEGER: return static_cast<int64_t>(sqlite3_value_int64(argument));
    case SQLITE_FLOAT: return sqlite3_value_double(argument);
    case SQLITE_TEXT: {
      const auto* text = static_cast<const char*>(static_cast<const void*>(sqlite3_value_text(argument)));
      return std::string_view(text, static_cast<size_t>(sqlite3_value_bytes(argument)));
    }
    case SQLITE_BLOB: {
      const auto* bytes = static_cast<const char*>(sqlite3_value_blob(argument));
      return Blob{{bytes == nullptr ? "" : bytes, static_cast<size_t>(sqlite3_value_bytes(argument))}};
    }
    default: return nullptr;
  }
}

struct Answering {
  sqlite3_context* context;
  void operator()(std::nullptr_t) const { sqlite3_result_null(context); }
  void operator()(int64_t number) const { sqlite3_result_int64(context, number); }
  void operator()(double number) const { sqlite3_result_double(context, number); }
  void operator()(const std::string& text) const {
    sqlite3_result_text64(context, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  }
};

core::Result<Answer> answer(const Function& function, std::span<const Value> arguments) {
  try {
    return function(arguments);
  } catch (const std::exception& exception) {  // must not unwind through SQLite, which is C
    return core::fail(core::Code::invalid, "A function of a statement failed.", exception.what());
  } catch (...) {
    return core::fail(core::Code::invalid, "A function of a statement failed.", "unknown exception");
  }
}

void call(sqlite3_context* context, int count, sqlite3_value** given) {
  const auto* defined = static_cast<Defined*>(sqlite3_user_data(context));
  std::array<Value, arguments_max> arguments;
  for (int place = 0; place < count; ++place) arguments[static_cast<size_t>(place)] = value_of(given[place]);
  auto answered = answer(defined->function, {arguments.data(), static_cast<size_t>(count)});
  if (answered) return std::visit(Answering{context}, *answered);
  sqlite3_result_error(context, answered.error().message.c_str(), -1);
  *defined->error = std::move(answered.error());
}

}  // namespace

core::Result<> Connection::define(const std::string& name, int arguments, Function function) {
  core::require(arguments >= 0 && arguments <= arguments_max, "a function has 0 to 8 arguments");
  auto* defined = new Defined{std::move(function), &impl_->function_error};  // SQLite owns it and calls the deleter
  const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  const int code = sqlite3_create_function_v2(impl_->handle, name.c_str(), arguments, flags, defined, call, nullptr,
                                              nullptr, [](void* held) { delete static_cast<Defined*>(held); });
  if (code != SQLITE_OK) return failed(impl_->handle, code, "defining function " + name, impl_->path);
  return {};
}

}  // namespace headrace::sqlite
