# Precompiled headers: one pair for rooms and their tests below the store, one for those above it, each made once and used by
# all (docs/adr/0013-precompiled-headers.md). Only debug builds have them: builds without them show where a source lacks
# an include.
option(HEADRACE_PRECOMPILED "Precompile what most sources read" OFF)
if(NOT HEADRACE_PRECOMPILED)
  function(headrace_precompiled)
  endfunction()
  return()
endif()

if(CCACHE)  # what it must be told before it caches what uses a precompiled header: ccache(1), "Precompiled headers"
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
else()
  add_compile_options(-fpch-preprocess)
endif()

file(WRITE ${PROJECT_BINARY_DIR}/precompiled.cc "")
# carrier NAME HEADER: what is compiled with it must have the same flags.
function(headrace_carrier name header)
  add_library(${name} OBJECT ${PROJECT_BINARY_DIR}/precompiled.cc)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(${name} PRIVATE headrace_options Boost::headers Threads::Threads fmt::fmt)
  target_compile_definitions(${name} PRIVATE BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
  target_precompile_headers(${name} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/${header})
endfunction()
function(headrace_test_carrier name header)
  headrace_carrier(${name} ${header})
  target_link_libraries(${name} PRIVATE GTest::gmock)
  # Programs are compiled for a position-independent executable, not for a library.
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${name} PRIVATE -fPIE)
endfunction()
headrace_carrier(headrace_precompiled precompiled.h)
headrace_carrier(headrace_precompiled_upper precompiled_upper.h)
if(HEADRACE_TESTS)
  find_package(GTest REQUIRED)
  headrace_test_carrier(headrace_precompiled_test precompiled_test.h)
  headrace_test_carrier(headrace_precompiled_upper_test precompiled_upper_test.h)
endif()

# headrace_precompiled(TARGET CARRIER)
function(headrace_precompiled target carrier)
  target_precompile_headers(${target} REUSE_FROM ${carrier})
endfunction()
