# Precompiled headers: one pair for rooms and their tests below the store, one for those above it, each made once and used by
# all (docs/adr/0013-precompiled-headers.md). Only debug builds have them: builds without them show where a source lacks
# an include.
option(HEADRACE_PRECOMPILED "Precompile what most sources read" OFF)
if(NOT HEADRACE_PRECOMPILED)
  function(headrace_precompiled)
  endfunction()
  return()
endif()

if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
  # As CMake has them, but by options whose paths ccache makes relative.
  set(CMAKE_CXX_COMPILE_OPTIONS_CREATE_PCH -Xclang -emit-pch -include <PCH_HEADER> -x c++-header)
  set(CMAKE_CXX_COMPILE_OPTIONS_USE_PCH -include-pch <PCH_FILE>)
  # Where X.pch is, the driver takes it for `-include X`: one that is made anew would be made of the old one.
  set(CMAKE_PCH_EXTENSION .precompiled)
else()
  add_compile_options(-fpch-preprocess)
endif()

file(WRITE ${PROJECT_BINARY_DIR}/precompiled.cc "")
# carrier NAME HEADER: what is compiled with it must have the same flags.
function(headrace_carrier name header)
  add_library(${name} OBJECT ${PROJECT_BINARY_DIR}/precompiled.cc)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/cmake)
  target_link_libraries(${name} PRIVATE headrace_options Boost::headers Threads::Threads fmt::fmt)
  target_compile_definitions(${name} PRIVATE BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
  # By name, not path: the same in every clone, for ccache. But where clang precompiles headers of ours it notes their paths,
  # and takes those of another clone for other files: then the path keeps the clones apart.
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND header MATCHES "upper")
    target_precompile_headers(${name} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/${header})
  else()
    target_precompile_headers(${name} PRIVATE <${header}>)
  endif()
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
