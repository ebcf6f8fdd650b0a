// StepEffects is what the commands and matchers of one program do to its step.
#pragma once

#include "services/runner/step_engine_impl.h"

namespace headrace::runner {

class StepEffects final : public CommandEffects, public ProblemEffects {
 public:
  // `elsewhere` is where the program runs, or null for the job's surroundings. All outlive it.
  StepEffects(StepEngine::Impl& engine, StepRecord& record, const ProgramStarter* elsewhere)
      : engine_(engine), record_(record), elsewhere_(elsewhere) {}

  void print(std::string_view line) override;
  void debug(std::string_view line) override;
  void annotate(Annotation annotation) override;
  void add_mask(std::string_view secret) override;
  core::Result<> add_matchers(const std::string& file) override;
  core::Result<> remove_matchers(const std::string& file) override;
  void remove_matcher(std::string_view owner) override;
  void set_output(std::string name, std::string value) override;
  void save_state(std::string name, std::string value) override;
  void set_variable(std::string name, std::string value) override;
  void add_path(std::string path) override;
  std::string variable(std::string_view name) const override;
  void fail() override;
  void problem(const Problem& problem, std::string_view line) override;
  void matcher_removed(const std::string& message) override;

 private:
  std::optional<std::string> to_host(const std::string& file) const;
  // Relative to the workspace where it is in it, as GitHub shows files; `file` as the program named it.
  std::string shown_file(const std::string& file) const;
  core::Result<std::string> read(const std::string& file) const;
  void check(const core::Result<>& done);

  StepEngine::Impl& engine_;
  StepRecord& record_;
  const ProgramStarter* elsewhere_;
};

}  // namespace headrace::runner
