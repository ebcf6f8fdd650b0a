# What is installed. Component `server`: the binary, which the Debian package holds. Component `library`: the bus as a C++
# library, found by find_package(headrace) as headrace::bus with what it stands on.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)  # the components are small parts of `all`

set(library_rooms core events filter log sqlite bus)
foreach(room IN LISTS library_rooms)
  if(NOT TARGET headrace_${room})
    return()
  endif()
endforeach()
foreach(room IN LISTS library_rooms)
  install(TARGETS headrace_${room} EXPORT headrace ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/headrace COMPONENT library)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/src/${room}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/headrace/${room}
          COMPONENT library FILES_MATCHING PATTERN "*.h" PATTERN testing EXCLUDE)
endforeach()
list(TRANSFORM library_rooms PREPEND headrace_ OUTPUT_VARIABLE library_targets)
add_custom_target(library DEPENDS ${library_targets})  # what component `library` installs

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/headrace)
install(EXPORT headrace NAMESPACE headrace:: FILE headraceTargets.cmake DESTINATION ${package_folder} COMPONENT library)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/headraceConfig.cmake.in
                              ${PROJECT_BINARY_DIR}/headraceConfig.cmake INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/headraceConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/headraceConfig.cmake ${PROJECT_BINARY_DIR}/headraceConfigVersion.cmake
        DESTINATION ${package_folder} COMPONENT library)
