// The list of runs, newest first: what is asked for is looked up by the index that has least of it, and what that
// cannot say is looked at run by run, at most looked_max of them for one answer.
#pragma once

#include "core/result.h"
#include "services/pipeline/runs.h"
#include "sqlite/connection.h"

namespace headrace::pipeline {

enum class Moment { now, past };  // of the tables

core::Result<RunPage> find_runs(sqlite::Connection& tables, const RunQuery& query, Moment moment);

}  // namespace headrace::pipeline
