# WebAssembly under Node, with the distribution's Emscripten (3.1.6 and newer).
find_program(KOPDARBS_EM_CONFIG em-config REQUIRED)
execute_process(COMMAND ${KOPDARBS_EM_CONFIG} EMSCRIPTEN_ROOT OUTPUT_VARIABLE emscripten_root OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
include(${emscripten_root}/cmake/Modules/Platform/Emscripten.cmake)

# __WASM__ turns off the processor-specific parts of SQLite3 Multiple Ciphers and gives its random generator a source.
string(APPEND CMAKE_C_FLAGS_INIT " -D__WASM__=1 -fwasm-exceptions")
string(APPEND CMAKE_CXX_FLAGS_INIT " -D__WASM__=1 -fwasm-exceptions")
# EXIT_RUNTIME: the exit code of main becomes that of node, and output is flushed. Without asynchronous compilation the module is
# read as a file; otherwise Emscripten 3.1.6 hands its path to Node's fetch, which takes only URLs.
string(APPEND CMAKE_EXE_LINKER_FLAGS_INIT
    " -fwasm-exceptions -sALLOW_MEMORY_GROWTH=1 -sEXIT_RUNTIME=1 -sENVIRONMENT=node -sWASM_ASYNC_COMPILATION=0")
