# SPDX-License-Identifier: Apache-2.0
# `cpack` in the build folder: libscrooge0, scrooge-dev and scrooge-tools for Debian, and one archive with everything.
# The same build and the same SOURCE_DATE_EPOCH give the same bytes. For Debian's own folders (multiarch) configure with
# CMAKE_INSTALL_PREFIX=/usr, as the preset `package` does.
set(CPACK_GENERATOR DEB TGZ)
set(CPACK_PACKAGE_NAME scrooge)
set(CPACK_PACKAGE_VENDOR "The Scrooge authors")
set(CPACK_PACKAGE_CONTACT "The Scrooge authors <scrooge@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_RESOURCE_FILE_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")
set(CPACK_PACKAGING_INSTALL_PREFIX "/usr")
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL runtime dev)
if(TARGET scrooge_cli)
  list(APPEND CPACK_COMPONENTS_ALL tools)
endif()
# The archive is one for all, and may be unpacked anywhere.
set(CPACK_ARCHIVE_COMPONENT_INSTALL OFF)

set(runtime_package "libscrooge${PROJECT_VERSION_MAJOR}")
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_LICENSE Apache-2.0)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_ENABLE_COMPONENT_DEPENDS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS "${CMAKE_LIBRARY_OUTPUT_DIRECTORY}")
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY "=")  # the symbols may grow with any version
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME "${runtime_package}")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_DEV_PACKAGE_NAME scrooge-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_TOOLS_PACKAGE_NAME scrooge-tools)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SECTION utils)
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION "Shared library")
set(CPACK_COMPONENT_DEV_DESCRIPTION "Headers, static libraries, CMake and pkg-config files")
set(CPACK_COMPONENT_TOOLS_DESCRIPTION "The scrooge command")
set(CPACK_COMPONENT_DEV_DEPENDS runtime)
set(CPACK_COMPONENT_TOOLS_DEPENDS runtime)

# What find_package looks for when the static library is linked.
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS
  "libpcre2-dev, libutf8proc-dev, libhwy-dev, libsimdjson-dev, libxxhash-dev, nettle-dev")
if("dnnl" IN_LIST SCROOGE_STATIC_LIBRARIES)
  string(APPEND CPACK_DEBIAN_DEV_PACKAGE_DEPENDS ", libdnnl-dev")
endif()

# Debian wants to find a package's licence under the name of the package.
set(docs "${CMAKE_INSTALL_DATAROOTDIR}/doc")
foreach(pair runtime:${runtime_package} dev:scrooge-dev tools:scrooge-tools)
  string(REPLACE ":" ";" pair "${pair}")
  list(GET pair 0 component)
  list(GET pair 1 package)
  if(component IN_LIST CPACK_COMPONENTS_ALL)
    install(FILES "${PROJECT_SOURCE_DIR}/cmake/copyright" DESTINATION "${docs}/${package}" COMPONENT ${component})
  endif()
endforeach()
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${docs}/${runtime_package}" COMPONENT runtime)
include(CPack)
