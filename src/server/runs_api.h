// Routes of runs: listed, viewed, watched, cancelled, run again, dispatched.
#pragma once

#include "core/json.h"
#include "server/platform.h"
#include "server/router.h"
#include "services/pipeline/pipeline.h"

namespace headrace::server {

void add_run_routes(Router& router, Platform& platform);
void add_run_watch(Router& router, Platform& platform);  // run_watch.cc

// The run the path names by id or UUID, now or at `?at=`, if the caller may see it.
core::Task<core::Result<pipeline::Run>> run_in(Platform& platform, Call& call);
// As JSON; live: with the steps and annotations of jobs at work as their runners tell them right now.
core::json::value run_json(Platform& platform, pipeline::Run run, bool live);
// What a job that is at work has annotated so far; one that is over has them already.
void add_live_annotations(Platform& platform, pipeline::Job& job);

}  // namespace headrace::server
