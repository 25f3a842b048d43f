# What every target of linearb is built with, and the one way in which a layer becomes a library.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
pkg_check_modules(libbpf REQUIRED IMPORTED_TARGET libbpf)
pkg_check_modules(libxdp REQUIRED IMPORTED_TARGET libxdp)
pkg_check_modules(libpcap REQUIRED IMPORTED_TARGET libpcap)
pkg_check_modules(zlib REQUIRED IMPORTED_TARGET zlib)

add_library(linearb_options INTERFACE)
# -Wno-restrict: GCC 12 sees overlapping copies in std::string operator+ that are not there (bug
# 105651 of GCC). Clang, which builds the fuzz targets, counts more as a conversion, and misses
# fields that LIBBPF_OPTS leaves out.
target_compile_options(linearb_options INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Werror $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  $<$<CXX_COMPILER_ID:Clang>:-Wno-sign-conversion>
  $<$<CXX_COMPILER_ID:Clang>:-Wno-missing-designated-field-initializers>
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor>)
target_include_directories(linearb_options INTERFACE
  ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
if(LINEARB_SANITIZE)
  target_compile_options(linearb_options INTERFACE
    -fsanitize=${LINEARB_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(linearb_options INTERFACE -fsanitize=${LINEARB_SANITIZE})
endif()

# linearb_library(NAME DEPENDS target...): a static library linearb_NAME of the sources in this
# folder. A layer names what it stands on; nothing else is in reach of its includes by accident,
# and tests/layers_test.py looks at the includes themselves.
function(linearb_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "DEPENDS")
  file(GLOB sources CONFIGURE_DEPENDS *.cpp *.c)
  if(sources)
    add_library(linearb_${name} STATIC ${sources})
    target_link_libraries(linearb_${name} PUBLIC linearb_options ${arg_DEPENDS})
  else()
    add_library(linearb_${name} INTERFACE)
    target_link_libraries(linearb_${name} INTERFACE linearb_options ${arg_DEPENDS})
  endif()
endfunction()

find_program(CLANG clang REQUIRED)
find_program(LLVM_STRIP llvm-strip REQUIRED)
find_program(BPFTOOL bpftool PATHS /usr/sbin /sbin REQUIRED)

# bpf_skeleton(NAME SOURCE [OBJECT]): the target NAME_skeleton, which makes
# skeleton/NAME.skel.h in this folder's part of the build, with the struct NAME_bpf.
function(bpf_skeleton name source)
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.bpf.o)
  if(ARGC GREATER 2)
    set(object ${ARGV2})
  endif()
  set(skeleton ${CMAKE_CURRENT_BINARY_DIR}/skeleton/${name}.skel.h)
  file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/skeleton)
  add_custom_command(
    OUTPUT ${object}
    COMMAND ${CLANG} -O2 -g -Wall -Wextra -Werror -target bpf -mcpu=v3 -I ${PROJECT_SOURCE_DIR}/src
            -I ${PROJECT_SOURCE_DIR} -idirafter /usr/include/${CMAKE_LIBRARY_ARCHITECTURE}
            -MD -MF ${object}.d -c ${source} -o ${object}
    COMMAND ${LLVM_STRIP} -g ${object}
    DEPFILE ${object}.d
    DEPENDS ${source}
    VERBATIM)
  add_custom_command(
    OUTPUT ${skeleton}
    COMMAND ${BPFTOOL} gen skeleton ${object} name ${name}_bpf > ${skeleton}
    DEPENDS ${object}
    VERBATIM)
  add_custom_target(${name}_skeleton DEPENDS ${object} ${skeleton})
endfunction()
