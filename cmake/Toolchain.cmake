# What every target is compiled with. Presets choose the build type and HEADRACE_SANITIZE; nothing else differs.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

set(HEADRACE_SANITIZE "" CACHE STRING "Sanitizers for every target: address, thread, fuzzer or nothing")
option(HEADRACE_WARNINGS_AS_ERRORS "Treat compiler warnings as errors" ON)
option(HEADRACE_TESTS "Build tests" ON)

# What was compiled in one clone or work tree is taken by every other: paths below the root are hashed as relative ones. Debug
# information may name the tree that compiled first. The sloppiness is what precompiled headers want (ccache(1), "Precompiled
# headers").
find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # clang's precompiled headers hold the sizes of what they were made of. A header in which only a comment changed is the
  # same once it is preprocessed, so ccache must go by the files themselves.
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    set(by_files CCACHE_DEPEND=1)
  endif()
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros ${by_files} ${CCACHE})
endif()

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(fmt REQUIRED)

add_library(headrace_options INTERFACE)
target_compile_options(headrace_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-qual)
if(HEADRACE_WARNINGS_AS_ERRORS)
  target_compile_options(headrace_options INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False alarms of g++ 12 and 13 in std::optional, std::string and coroutines at -O2; clang 19 checks the same code in the lint step.
  target_compile_options(headrace_options INTERFACE -Wno-maybe-uninitialized -Wno-restrict -Wno-stringop-overflow
    -Wno-array-bounds -Wno-dangling-pointer -Wno-mismatched-new-delete)
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # libstdc++'s own std::stable_sort uses what it calls deprecated itself, and clang says so at our call.
  target_compile_options(headrace_options INTERFACE -Wthread-safety -Wno-deprecated-declarations)
endif()

find_program(MOLD mold)
if(MOLD)
  # As other linkers do unasked: what runs at start alone, and what hardly ever runs, lies apart from the rest, so that less
  # of the program is in memory.
  add_link_options(-fuse-ld=mold -Wl,-z,keep-text-section-prefix)
endif()

if(HEADRACE_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(HEADRACE_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
elseif(HEADRACE_SANITIZE STREQUAL "fuzzer")
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
elseif(NOT HEADRACE_SANITIZE STREQUAL "")
  message(FATAL_ERROR "HEADRACE_SANITIZE is '${HEADRACE_SANITIZE}'; it may be address, thread, fuzzer or empty.")
endif()
if(HEADRACE_SANITIZE)  # for the few tests that ask for less where all is slower and larger
  add_compile_definitions(HEADRACE_SANITIZED)
endif()
