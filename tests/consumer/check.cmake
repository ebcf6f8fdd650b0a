# cmake -D built=BUILD -D compiler=CXX -D readme=README -P check.cmake: installs the library from BUILD, builds the
# consumer against it, runs it and compares what it says; and the README shows exactly the program that was built.
set(folder ${built}/consumer)
file(REMOVE_RECURSE ${folder})

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "'${command}' ended with ${status}:\n${said}")
  endif()
  set(said "${said}" PARENT_SCOPE)
endfunction()

run(${CMAKE_COMMAND} --install ${built} --prefix ${folder}/prefix --component library)
run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${folder}/build -G Ninja -DCMAKE_BUILD_TYPE=Debug
    -DCMAKE_CXX_COMPILER=${compiler} -DCMAKE_PREFIX_PATH=${folder}/prefix)
run(${CMAKE_COMMAND} --build ${folder}/build)

run(${CMAKE_COMMAND} -E chdir ${folder} ${folder}/build/greeter)
if(NOT said STREQUAL "com.example.greeted {\"hello\":\"world\"}\n")
  message(FATAL_ERROR "the consumer heard something else:\n${said}")
endif()
run(${CMAKE_COMMAND} -E chdir ${folder} ${folder}/build/greeter_async)
foreach(line IN ITEMS "attempt 1: {\"hello\":\"async\"}" "attempt 1: {\"hello\":\"again\"}")
  string(FIND "${said}" "${line}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "the asynchronous consumer did not say '${line}':\n${said}")
  endif()
endforeach()

file(READ ${CMAKE_CURRENT_LIST_DIR}/main.cc program)
file(READ ${readme} page)
string(FIND "${page}" "${program}" at)
if(at EQUAL -1)
  message(FATAL_ERROR "README.md does not show tests/consumer/main.cc as it is")
endif()
