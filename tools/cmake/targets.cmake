# How a library, a program or a test of ours is built, and where SQLite and the embedded files come from.

set(KOPDARBS_WARNINGS -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast -Wnon-virtual-dtor)
if(KOPDARBS_WERROR)
    list(APPEND KOPDARBS_WARNINGS -Werror)
endif()

# kopdarbs_library(NAME source… ): warnings on, includes from the root.
function(kopdarbs_library name)
    add_library(${name} STATIC ${ARGN})
    target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
    target_compile_options(${name} PRIVATE ${KOPDARBS_WARNINGS})
endfunction()

function(kopdarbs_program name)
    add_executable(${name} ${ARGN})
    target_compile_options(${name} PRIVATE ${KOPDARBS_WARNINGS})
endfunction()

# The programs' allocator, where there is one: a save is some hundred small allocations. Sanitizers have their own.
if(NOT KOPDARBS_SANITIZE AND NOT CMAKE_CROSSCOMPILING)
    find_library(KOPDARBS_ALLOCATOR mimalloc)
endif()
function(kopdarbs_allocator program)
    if(KOPDARBS_ALLOCATOR)
        target_link_libraries(${program} PRIVATE ${KOPDARBS_ALLOCATOR})
    endif()
endfunction()

# kopdarbs_embed(NAME file…): sets NAME_source to a generated file that defines kopdarbs::embedded::NAME.
function(kopdarbs_embed name)
    set(out ${CMAKE_BINARY_DIR}/embedded/${name}.cpp)
    add_custom_command(
        OUTPUT ${out}
        COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DNAME=${name} "-DFILES=${ARGN}" -P ${PROJECT_SOURCE_DIR}/tools/cmake/embed.cmake
        DEPENDS ${ARGN} ${PROJECT_SOURCE_DIR}/tools/cmake/embed.cmake
        VERBATIM)
    set(${name}_source ${out} PARENT_SCOPE)
endfunction()

# SQLite with SQLite3 Multiple Ciphers: a builder's own directory, or the pinned copy that tools/setup fetched.
if(NOT KOPDARBS_SQLITE_DIR)
    set(cache $ENV{KOPDARBS_CACHE})
    if(NOT cache)
        set(cache $ENV{HOME}/.cache/kopdarbs)
    endif()
    set(KOPDARBS_SQLITE_DIR ${cache}/sqlite3mc-13.0.3)
endif()
if(NOT EXISTS ${KOPDARBS_SQLITE_DIR}/sqlite3.c)
    message(FATAL_ERROR "No sqlite3.c in ${KOPDARBS_SQLITE_DIR}: run tools/setup, or set KOPDARBS_SQLITE_DIR")
endif()
# SQLite3 Multiple Ciphers takes a read that failed for one that went well, unless it was only short: the page is then whatever lay in memory
# (up to 13.0.3; tests/fault holds it to that). One condition is all it takes; a copy that has it already stays as it is.
file(READ ${KOPDARBS_SQLITE_DIR}/sqlite3.c sqlite_source)
string(REPLACE "if (rc == SQLITE_IOERR_SHORT_READ)" "if (rc != SQLITE_OK)" sqlite_source "${sqlite_source}")
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/sqlite/sqlite3.c CONTENT "@sqlite_source@" @ONLY)
unset(sqlite_source)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${KOPDARBS_SQLITE_DIR}/sqlite3.c)
add_library(kopdarbs_sqlite STATIC ${CMAKE_BINARY_DIR}/sqlite/sqlite3.c)
target_include_directories(kopdarbs_sqlite SYSTEM PUBLIC ${KOPDARBS_SQLITE_DIR})
target_compile_definitions(kopdarbs_sqlite PUBLIC
    SQLITE_ENABLE_FTS5 SQLITE_ENABLE_DBPAGE_VTAB SQLITE_DQS=0 SQLITE_THREADSAFE=2 SQLITE_DEFAULT_MEMSTATUS=0 SQLITE_OMIT_DEPRECATED SQLITE_OMIT_LOAD_EXTENSION
    SQLITE_OMIT_SHARED_CACHE SQLITE_LIKE_DOESNT_MATCH_BLOBS SQLITE_USE_ALLOCA SQLITE_TEMP_STORE=3)
# What configure would have found: a commit waits for the data, and not for the time of the file's last change as well.
if(NOT WIN32)
    target_compile_definitions(kopdarbs_sqlite PRIVATE HAVE_FDATASYNC=1 HAVE_USLEEP=1 HAVE_LOCALTIME_R=1)
endif()
target_compile_options(kopdarbs_sqlite PRIVATE -w)
if(KOPDARBS_SANITIZE)
    target_compile_options(kopdarbs_sqlite PRIVATE -fno-sanitize=undefined)
endif()
if(NOT EMSCRIPTEN AND NOT WIN32)
    target_link_libraries(kopdarbs_sqlite PUBLIC ${CMAKE_DL_LIBS} m)
endif()
