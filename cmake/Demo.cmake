# The files of the demo's repository (demo/shop) within the program, as they are in the sources.

# headrace_demo(TARGET): gives it demo_files(), src/server/demo_files.h.
function(headrace_demo target)
  set(folder ${PROJECT_SOURCE_DIR}/demo/shop)
  file(GLOB_RECURSE paths CONFIGURE_DEPENDS RELATIVE ${folder} ${folder}/*)
  list(SORT paths)
  set(rows "")
  foreach(path IN LISTS paths)
    file(READ ${folder}/${path} text)
    string(APPEND rows "    {\"${path}\", R\"~~~(${text})~~~\"},\n")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${folder}/${path})
  endforeach()
  set(made ${PROJECT_BINARY_DIR}/demo_files.cc)
  file(CONFIGURE OUTPUT ${made} @ONLY CONTENT "// Made by cmake/Demo.cmake.
#include \"server/demo_files.h\"

static constexpr headrace::server::DemoFile files[] = {
@rows@};

std::span<const headrace::server::DemoFile> headrace::server::demo_files() { return files; }
")
  target_sources(${target} PRIVATE ${made})
  set_source_files_properties(${made} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
endfunction()
