// As precompiled.h, for the rooms that stand on the store: what is ours in it is at the bottom of the house and read by most of
// them, so that an edit of it makes them again with or without this.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "bus/bus.h"
#include "core/result.h"
#include "core/task.h"
#include "events/event.h"
#include "log/event_log.h"
#include "precompiled.h"
#include "sqlite/connection.h"
#include "sqlite/value.h"
#include "store/store.h"
#include "workflow/expression_value.h"
