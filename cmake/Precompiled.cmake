# Precompiled headers: one for the rooms, one for their tests, each made once and used by all (docs/adr/0013-precompiled-headers.md). Only g++
# debug builds have them: it is there that they pay, and builds without them show where a source lacks an include.
option(HEADRACE_PRECOMPILED "Precompile what most sources read" OFF)
if(NOT HEADRACE_PRECOMPILED OR NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  function(headrace_precompiled)
  endfunction()
  return()
endif()

if(CCACHE)  # what it must be told before it caches what uses a precompiled header: ccache(1), "Precompiled headers"
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
endif()
add_compile_options(-fpch-preprocess)

file(WRITE ${PROJECT_BINARY_DIR}/precompiled.cc "")
# carrier NAME HEADER: what is compiled with it must have the same flags.
function(headrace_carrier name header)
  add_library(${name} OBJECT ${PROJECT_BINARY_DIR}/precompiled.cc)
  target_link_libraries(${name} PRIVATE headrace_options Boost::headers Threads::Threads fmt::fmt)
  target_compile_definitions(${name} PRIVATE BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
  target_precompile_headers(${name} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/${header})
endfunction()
headrace_carrier(headrace_precompiled precompiled.h)
if(HEADRACE_TESTS)
  find_package(GTest REQUIRED)
  headrace_carrier(headrace_precompiled_test precompiled_test.h)
  target_link_libraries(headrace_precompiled_test PRIVATE GTest::gmock)
  # Programs are compiled for a position-independent executable, not for a library.
  set_target_properties(headrace_precompiled_test PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(headrace_precompiled_test PRIVATE -fPIE)
endif()

# headrace_precompiled(TARGET CARRIER)
function(headrace_precompiled target carrier)
  target_precompile_headers(${target} REUSE_FROM ${carrier})
endfunction()
