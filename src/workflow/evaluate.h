// Values of a file when the contexts are known. An error names the file and the place of the node.
#pragma once

#include <string>

#include "workflow/expression.h"
#include "workflow/plan.h"

namespace headrace::workflow {

class Evaluation {
 public:
  // All outlive this.
  Evaluation(const std::string& file, const Object& contexts, Host* host = nullptr)
      : file_(file), contexts_(contexts), host_(host) {}

  Evaluated<Value> value(const Node& node) const;  // of any shape; ${{ insert }} taken in
  Evaluated<std::string> text(const Node& node) const;
  Evaluated<bool> truth(const Node& node, bool fallback) const;  // where the node is absent: the fallback
  Evaluated<double> number(const Node& node, double fallback) const;
  Failure failure(const Node& node, std::string message) const { return {node.at, std::move(message), file_}; }

 private:
  Evaluated<Value> scalar(const Node& node) const;
  Evaluated<Value> sequence(const Node& node) const;
  Evaluated<Value> mapping(const Node& node) const;

  const std::string& file_;
  const Object& contexts_;
  Host* host_;
};

// A text that evaluates to `literal`, whatever stands in it.
std::string as_template(const std::string& literal);

// The references of every expression within the node.
void visit_references(const Node& node, const std::function<void(const Reference&)>& see);

}  // namespace headrace::workflow
