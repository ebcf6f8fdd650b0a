// What the token of a job may do: `permissions` of workflow and job, and what a called workflow may ask for.
// GitHub, "Workflow syntax", "permissions"; "Reuse workflows", "Access and permissions".
#pragma once

#include <optional>
#include <string>

#include "workflow/plan.h"

namespace headrace::workflow {

Permissions default_permissions(TokenDefault token);

// Of a `permissions` node: scopes that are not named are none. Nothing where there is no such node.
std::optional<Permissions> written_permissions(const Node& node);

// What a job may do: its own, else the workflow's, else `outer`; never more than `outer` where that is a bound.
Permissions job_permissions(const Workflow& workflow, const Job& job, const Permissions& outer);
Permissions at_most(Permissions wanted, const Permissions& bound);
Permissions reads_of(Permissions permissions);  // write becomes read

// "requesting 'actions: write', but is only allowed 'actions: read'", where `node` asks for more than `allowed`.
std::string excess(const Node& node, const Permissions& allowed);

}  // namespace headrace::workflow
