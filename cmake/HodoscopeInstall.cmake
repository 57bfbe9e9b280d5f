# Installation and packages.
include(GNUInstallDirs)
install(TARGETS hodo RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
