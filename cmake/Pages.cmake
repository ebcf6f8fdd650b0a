# The web pages within the program: npm builds web/ into files, web/build/pack.mjs a source that holds them. All build
# folders share what was built.
option(HEADRACE_PAGES "Hold the web pages, which npm builds" ON)
find_program(NODE node)
find_program(NPM npm)
if(HEADRACE_PAGES AND NOT (NODE AND NPM))
  message(WARNING "The program will have no pages, for node and npm are not here (on Debian: apt-get install nodejs npm).")
  set(HEADRACE_PAGES OFF)
endif()

# headrace_pages(TARGET): gives it page_files(), src/server/page_files.h.
function(headrace_pages target)
  if(NOT HEADRACE_PAGES)
    set(none ${PROJECT_BINARY_DIR}/no_page_files.cc)
    file(CONFIGURE OUTPUT ${none} CONTENT
      "#include \"server/page_files.h\"
std::span<const headrace::server::PageFile> headrace::server::page_files() { return {}; }
std::string_view headrace::server::page_policy() { return {}; }
")
    target_sources(${target} PRIVATE ${none})
    return()
  endif()
  set(web ${PROJECT_SOURCE_DIR}/web)
  set(made ${PROJECT_SOURCE_DIR}/build/web)
  set(installed ${web}/node_modules/.package-lock.json)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${web}/src/* ${web}/build/*)
  add_custom_command(OUTPUT ${installed} WORKING_DIRECTORY ${web} DEPENDS ${web}/package-lock.json
    COMMAND ${NPM} ci --silent --no-audit --no-fund COMMENT "Fetching what the web pages are built with")
  add_custom_command(OUTPUT ${made}/page_files.cc WORKING_DIRECTORY ${web} COMMENT "Building the web pages"
    DEPENDS ${installed} ${sources} ${web}/index.html ${web}/vite.config.ts ${web}/tsconfig.json ${web}/package.json
    COMMAND ${NPM} run --silent build -- --outDir ${made}/dist --emptyOutDir --logLevel warn
    COMMAND ${NODE} build/pack.mjs ${made}/dist ${made})
  target_sources(${target} PRIVATE ${made}/page_files.cc)
  set_source_files_properties(${made}/page_files.cc PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
endfunction()
