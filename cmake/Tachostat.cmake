# One static library and one test program per folder of src/.

# tachostat_library(NAME sources... DEPS libraries...)
function(tachostat_library name)
  cmake_parse_arguments(ARG "" "" "DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_compile_options(${name} PRIVATE ${TACHOSTAT_WARNINGS})
  target_link_libraries(${name} PUBLIC ${ARG_DEPS})
endfunction()

# tachostat_test(NAME sources... DEPS libraries... [LABELS labels...]): a GoogleTest program; every case is a ctest case.
function(tachostat_test name)
  cmake_parse_arguments(ARG "" "" "DEPS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_compile_options(${name} PRIVATE ${TACHOSTAT_WARNINGS})
  # Tests' own code is not what is slow there, and optimising it instrumented takes more than half of the build.
  if(TACHOSTAT_SANITIZE)
    target_compile_options(${name} PRIVATE -O0)
    # Else simdjson's classes have other members here than in the libraries, which are optimised.
    target_compile_definitions(${name} PRIVATE SIMDJSON_DEVELOPMENT_CHECKS=0)
  endif()
  target_compile_definitions(${name} PRIVATE TACHOSTAT_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} GTest::gtest GTest::gmock GTest::gtest_main)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 120 LABELS "unit;${ARG_LABELS}")
endfunction()

# tachostat_proto(NAME FILE): a static library of the protobuf messages in FILE (relative to the current folder), included as
# "STEM.pb.h". Generated code is not ours: compiled without our warnings.
function(tachostat_proto name file)
  get_filename_component(stem ${file} NAME_WE)
  get_filename_component(folder ${file} DIRECTORY)
  set(from ${CMAKE_CURRENT_SOURCE_DIR}/${folder})
  set(to ${CMAKE_CURRENT_BINARY_DIR}/generated)
  add_custom_command(
    OUTPUT ${to}/${stem}.pb.cc ${to}/${stem}.pb.h
    COMMAND ${CMAKE_COMMAND} -E make_directory ${to}
    COMMAND protobuf::protoc --proto_path=${from} --cpp_out=${to} ${from}/${stem}.proto
    DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${file}
    COMMENT "Generating ${file}'s code"
    VERBATIM)
  add_custom_target(generated_${name} DEPENDS ${to}/${stem}.pb.h)
  # Made at the build's start, by name for ./run lint too.
  add_dependencies(generated generated_${name})
  add_library(${name} STATIC ${to}/${stem}.pb.cc)
  add_dependencies(${name} generated_${name})
  target_include_directories(${name} SYSTEM PUBLIC ${to})
  target_link_libraries(${name} PUBLIC protobuf::libprotobuf)
endfunction()
