# cmake --install, and `cpack -G DEB` in the build folder: the program, its page, documents, unit, completion.
include(GNUInstallDirs)

install(TARGETS janus-sidecar)
install(FILES docs/janus-sidecar.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md" PATTERN "*.json")
install(FILES README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)
install(DIRECTORY config/examples deploy/grafana deploy/prometheus DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES deploy/systemd/janus-sidecar@.service deploy/systemd/janus-sidecar@.socket DESTINATION lib/systemd/system)
install(FILES deploy/completion/janus-sidecar.bash
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME janus-sidecar)

set(CPACK_PACKAGE_NAME janus-sidecar)
set(CPACK_PACKAGE_CONTACT "The janus-sidecar authors <janus-sidecar@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Authenticating proxy beside an app on VTEX IO")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON) # what the program is linked with
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
include(CPack)
