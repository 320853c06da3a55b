# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` gives, in three components: runtime (the shared library), dev (all one builds with), tools
# (the command). Each part has a target file of its own, so that ScroogeConfig.cmake finds what is there and no more.
include(CMakePackageConfigHelpers)
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/Scrooge")
set(staging "${PROJECT_BINARY_DIR}/package")

# scrooge_install(TARGET FILE COMPONENT): the target, and FILE which declares it to find_package.
function(scrooge_install target file component)
  install(TARGETS ${target} EXPORT ${file}
    RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT ${component}
    LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT ${component} NAMELINK_COMPONENT dev
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT ${component})
  if(component STREQUAL "runtime")
    set(component dev)
  endif()
  install(EXPORT ${file} NAMESPACE scrooge:: DESTINATION "${package_dir}" COMPONENT ${component})
endfunction()

if(TARGET scrooge)
  scrooge_install(scrooge ScroogeSharedTargets runtime)
endif()
if(TARGET scrooge_static)
  scrooge_install(scrooge_static ScroogeStaticTargets dev)
endif()
if(TARGET scrooge_reader)
  scrooge_install(scrooge_reader ScroogeReaderTargets dev)
  install(DIRECTORY "${PROJECT_BINARY_DIR}/reader"  # the file pair, to be copied into a firmware
    DESTINATION "${CMAKE_INSTALL_DATADIR}/scrooge" COMPONENT dev FILES_MATCHING PATTERN "*.[ch]")
endif()
if(TARGET scrooge_cli)
  scrooge_install(scrooge_cli ScroogeToolTargets tools)
endif()

set(headers PATTERN "*.h" PATTERN "*.hpp")
if(NOT TARGET scrooge)
  set(headers PATTERN "scrooge_reader.h")
endif()
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/scrooge"
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT dev FILES_MATCHING ${headers})
install(FILES "${PROJECT_SOURCE_DIR}/schema/scrooge_model.fbs"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/scrooge" COMPONENT dev)
install(FILES "${PROJECT_SOURCE_DIR}/cmake/ScroogeAddModel.cmake" "${PROJECT_SOURCE_DIR}/cmake/ScroogeModelStep.cmake"
  DESTINATION "${package_dir}" COMPONENT dev)

set(SCROOGE_BACKENDS "")
foreach(backend cpu cuda vulkan)
  if(TARGET scrooge_backend_${backend})
    list(APPEND SCROOGE_BACKENDS ${backend})
  endif()
endforeach()
if(NOT SCROOGE_HAVE_CUDA)  # its host side is built for tests
  list(REMOVE_ITEM SCROOGE_BACKENDS cuda)
endif()
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/ScroogeConfig.cmake.in" "${staging}/ScroogeConfig.cmake"
  INSTALL_DESTINATION "${package_dir}"
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_DATADIR NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file("${staging}/ScroogeConfigVersion.cmake" COMPATIBILITY SameMajorVersion)
install(FILES "${staging}/ScroogeConfig.cmake" "${staging}/ScroogeConfigVersion.cmake"
  DESTINATION "${package_dir}" COMPONENT dev)

if(NOT TARGET scrooge)
  return()
endif()
# scrooge.pc finds its prefix from where it lies, unless a folder was given as an absolute path.
set(pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
set(pc_libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
file(RELATIVE_PATH pc_prefix "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" pc_prefix "\${pcfiledir}/${pc_prefix}")
if(IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}" OR IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
  set(pc_prefix "${CMAKE_INSTALL_PREFIX}")
  set(pc_includedir "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
  set(pc_libdir "${CMAKE_INSTALL_FULL_LIBDIR}")
endif()
set(pc_private "")
foreach(library IN LISTS SCROOGE_STATIC_LIBRARIES SCROOGE_STATIC_RUNTIME)
  string(APPEND pc_private " -l${library}")
endforeach()
configure_file("${PROJECT_SOURCE_DIR}/cmake/scrooge.pc.in" "${staging}/scrooge.pc" @ONLY)
install(FILES "${staging}/scrooge.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT dev)
