# SPDX-License-Identifier: Apache-2.0
# SCROOGE_READER_ONLY: what a cross build of a firmware needs of Scrooge on its target, in a second, by a C compiler
# alone. Models are quantized by the command of the building machine.
include(GNUInstallDirs)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
add_subdirectory(src/reader)
include(ScroogeAddModel)
if(SCROOGE_INSTALL)
  include(ScroogeInstall)
  include(ScroogePackages)
endif()
