# The floors of the house (ARCHITECTURE.md): an #include points down, never up and never to a sibling.
#   cmake -P tests/floors.cmake            checks this tree
#   cmake -DROOT=DIR -P tests/floors.cmake checks another (tests/dev/self-test.sh does)
#
# CMake mirrors the floors as libraries, so that a wrong call does not link; this finds the wrong #include
# before that, with a sentence that says what is allowed.
cmake_minimum_required(VERSION 3.20)
if(NOT ROOT)
  get_filename_component(ROOT "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)
endif()

set(wrong 0)
function(complain file line why)
  message("${file}: ${line}\n    ${why}")
  math(EXPR n "${wrong} + 1")
  set(wrong ${n} PARENT_SCOPE)
endfunction()

# floor(NAME files ... ours ... libraries ...): files is what the floor holds (first match wins), ours what
# it may include by its rooted name, libraries which foreign folders it may use. All are regexes.
set(floors "")
macro(floor name)
  cmake_parse_arguments(F "" "files;ours;libraries;says" "" ${ARGN})
  list(APPEND floors ${name})
  foreach(key files ours libraries says)
    set(${name}_${key} "${F_${key}}")
  endforeach()
endmacro()

set(parts "proxy/((limits|clock|alarm|access_log|loop|lag|metrics|tally|self|trace|reply|retry_budget|proxy_status|socket|peer|watch|caller|notify|app|mailbox|processors|graphql_counts|bind_now|helper|sandbox|spawn|fd_message|handover|companion)[a-z_]*|log(_[a-z_]+)?)\\.h")

floor(config   files "config/"        ours "config/"
      libraries "jansson"
      says "config/ may include config/ only, and of the libraries only jansson")
floor(policy   files "policy/"        ours "(config|policy)/"
      libraries "jansson|idn2"
      says "policy/ may include config/ and policy/, and of the libraries jansson and idn2")
floor(http     files "proxy/http/"    ours "(config|policy|proxy/http)/|proxy/limits\\.h"
      libraries "evhtp/parser"
      says "proxy/http/ is pure: config/, policy/, proxy/http/, proxy/limits.h, evhtp/parser.h, no sockets, no TLS")
floor(token    files "proxy/token/"   ours "(config|policy|proxy/http|proxy/token)/|${parts}"
      libraries "event2|openssl|jansson"
      says "proxy/token/ may include config/, policy/, proxy/http/, proxy/token/ and the small parts of proxy/, not its siblings")
floor(origin   files "proxy/origin/"  ours "(config|policy|proxy/http|proxy/origin)/|${parts}"
      libraries "ares|event2|openssl"
      says "proxy/origin/ may include config/, policy/, proxy/http/, proxy/origin/ and the small parts of proxy/, not its siblings")
floor(ask      files "proxy/ask"      ours "(config|policy|proxy/http|proxy/origin)/|proxy/ask\\.h|${parts}"
      libraries "none"
      says "proxy/ask may include config/, policy/, proxy/http/, proxy/origin/ and the small parts of proxy/, and no library")
floor(login    files "proxy/login"    ours "(config|policy|proxy/http|proxy/token|proxy/origin)/|proxy/(login[a-z_]*|ask)\\.h|${parts}"
      libraries "openssl|jansson"
      says "proxy/login may include config/, policy/, proxy/http/, proxy/token/, proxy/origin/, proxy/ask.h and the small parts of proxy/")
floor(grant    files "proxy/grant"    ours "(config|policy|proxy/http|proxy/token|proxy/origin)/|proxy/(grant[a-z_]*|ask)\\.h|${parts}"
      libraries "openssl|jansson"
      says "proxy/grant may include config/, policy/, proxy/http/, proxy/token/, proxy/origin/, proxy/ask.h and the small parts of proxy/")
floor(top      files "proxy/(exchange|forward|sidecar|crew|worker|main|command|admin)" ours "(config|policy|proxy)/"
      libraries "event2|openssl|jansson|evhtp"
      says "the top floor may include config/, policy/ and proxy/")
floor(front    files "proxy/(front|client)" ours "(config|policy|proxy/http)/|proxy/front[a-z_]*\\.h|${parts}"
      libraries "event2"
      says "proxy/front may include config/, policy/, proxy/http/ and the small parts of proxy/, not the floors above")
floor(parts    files "proxy/"         ours "(config|policy|proxy/http)/|${parts}"
      libraries "event2|openssl|jansson|seccomp"
      says "the small parts of proxy/ may include config/, policy/, proxy/http/ and each other")
floor(tests    files "tests/"         ours "(config|policy|proxy|tests)/"
      libraries "ares|event2|openssl|jansson|idn2|evhtp|cmocka"
      says "tests may include everything")

# Who may know of the exchange and of the sidecar at all.
set(top_headers "proxy/(exchange|sidecar|crew|worker|main|command)[a-z_]*\\.h")
set(top_readers "proxy/(exchange|sidecar|crew|worker|main|command|admin)|tests/")

# Foreign headers that belong to a library; everything else in <> is libc or the kernel.
set(library_header "^(ares|event2|openssl|jansson|idn2|evhtp|cmocka|seccomp)([/.]|$)")

file(GLOB_RECURSE sources RELATIVE "${ROOT}" "${ROOT}/config/*.[ch]" "${ROOT}/policy/*.[ch]"
     "${ROOT}/proxy/*.[ch]" "${ROOT}/tests/*.[ch]")
list(FILTER sources EXCLUDE REGEX "node_modules/")
foreach(file IN LISTS sources)
  unset(name)
  foreach(candidate IN LISTS floors)
    if(file MATCHES "^${${candidate}_files}")
      set(name ${candidate})
      break()
    endif()
  endforeach()
  file(STRINGS "${ROOT}/${file}" lines REGEX "^[ \t]*#[ \t]*include")
  foreach(line IN LISTS lines)
    if(line MATCHES "\"([^\"]*)\"")
      set(header "${CMAKE_MATCH_1}")
      if(NOT header MATCHES "/" OR header MATCHES "\\.\\./" OR NOT EXISTS "${ROOT}/${header}")
        complain("${file}" "${line}" "includes are rooted and exist: \"folder/${header}\"")
      elseif(header MATCHES "^${top_headers}$" AND NOT file MATCHES "^(${top_readers})")
        complain("${file}" "${line}" "only the top floor knows the exchange and the sidecar")
      elseif(NOT header MATCHES "^(${${name}_ours})")
        complain("${file}" "${line}" "${${name}_says}")
      endif()
    elseif(line MATCHES "<([^>]*)>")
      set(header "${CMAKE_MATCH_1}")
      if(header MATCHES "^(config|policy|proxy|tests)/")
        complain("${file}" "${line}" "our own headers stand in quotes: \"${header}\"")
      elseif(header MATCHES "${library_header}" AND NOT header MATCHES "^(${${name}_libraries})")
        complain("${file}" "${line}" "${${name}_says}")
      endif()
    endif()
  endforeach()
endforeach()

list(LENGTH sources n)
if(n EQUAL 0)
  message(FATAL_ERROR "floors: no source file found")
elseif(wrong)
  message(FATAL_ERROR "floors: ${wrong} wrong includes in ${n} files")
endif()
message("floors: ${n} files, every include points down")
