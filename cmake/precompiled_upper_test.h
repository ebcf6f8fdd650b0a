// As precompiled_upper.h, for tests.
#pragma once

#include "precompiled_test.h"
#include "precompiled_upper.h"
