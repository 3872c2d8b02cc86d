# shellcheck shell=bash
# What the scripts of tools/ share; sourced, never run. Leaves the shell at the root of the project.
for variable in KOPDARBS_CACHE KOPDARBS_SQLITE_DIR KOPDARBS_JSON_INCLUDE; do # given relative to where the caller stands
    if [[ -n ${!variable:-} && ${!variable} != /* ]]; then export "$variable=$PWD/${!variable}"; fi
done
unset variable
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
export LC_ALL=C.UTF-8

readonly SQLITE_VERSION=13.0.3 # of npm's better-sqlite3-multiple-ciphers, which carries SQLite3 Multiple Ciphers as one C file
readonly LOGS=build/logs
readonly LOG_TAIL_LINES=80

if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
    readonly BOLD=$'\e[1m' RED=$'\e[31m' GREEN=$'\e[32m' PLAIN=$'\e[0m'
else
    readonly BOLD='' RED='' GREEN='' PLAIN=''
fi

say() { printf '%s\n' "$BOLD$*$PLAIN"; }

die() {
    printf '%s\n' "$RED${0##*/}: $*$PLAIN" >&2
    exit 1
}

# The comment at the head of a script is its help.
help_of() { sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$1"; }

# How many things to do at once: one a core, but each may need 1.5 GB of memory (Boost at -O2).
jobs_count() {
    if [[ -n ${KOPDARBS_JOBS:-} ]]; then
        printf '%s\n' "$KOPDARBS_JOBS"
        return
    fi
    local cores memory
    cores=$(nproc)
    memory=$(awk '/^MemAvailable:/ { n = int($2 / 1500000); print n < 1 ? 1 : n }' /proc/meminfo)
    printf '%s\n' $((cores < memory ? cores : memory))
}

# quiet NAME COMMAND…: runs the command into a log named after it, says how long it took, and shows the end of the log if it fails.
# With KOPDARBS_VERBOSE=1 the output is shown as it comes.
quiet() {
    local name=$1 log start=$SECONDS code=0
    log=$LOGS/$(tr -cs '[:alnum:]_\n' - <<<"$1").log
    shift
    mkdir -p "$LOGS"
    if [[ ${KOPDARBS_VERBOSE:-} == 1 ]]; then
        say "$name"
        "$@" || code=$?
    else
        printf '%-28s ' "$name"
        "$@" >"$log" 2>&1 </dev/null || code=$?
    fi
    if ((code == 0)); then
        printf '%s\n' "${GREEN}ok$PLAIN    $((SECONDS - start)) s"
        return
    fi
    printf '%s\n' "${RED}FAILED$PLAIN $((SECONDS - start)) s (exit $code)"
    if [[ ${KOPDARBS_VERBOSE:-} != 1 ]]; then
        printf '%s\n' "--- the last lines of $log:"
        tail -n "$LOG_TAIL_LINES" "$log"
    fi
    exit "$code"
}

# Where sqlite3.c lies. CMake follows the same rule.
sqlite_dir() {
    if [[ -n ${KOPDARBS_SQLITE_DIR:-} ]]; then
        printf '%s\n' "$KOPDARBS_SQLITE_DIR"
        return
    fi
    local cache=${KOPDARBS_CACHE:-}
    if [[ -z $cache ]]; then
        [[ -n ${HOME:-} ]] || die "neither KOPDARBS_CACHE nor HOME is set: nowhere to keep SQLite"
        cache=$HOME/.cache/kopdarbs
    fi
    printf '%s\n' "$cache/sqlite3mc-$SQLITE_VERSION"
}

# configure PRESET [-DNAME=VALUE…]. KOPDARBS_WERROR=1 makes warnings errors.
configure() {
    local preset=$1 options=()
    shift
    options+=("-DKOPDARBS_WERROR=$([[ ${KOPDARBS_WERROR:-0} == 1 ]] && echo ON || echo OFF)" "-DKOPDARBS_SQLITE_DIR=$(sqlite_dir)")
    case $preset in
        asan | tsan | fuzz | coverage)
            # The presets name clang 19; where only another clang is to be had, take that.
            command -v clang++-19 >/dev/null || options+=(-DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++)
            ;;
    esac
    quiet "configure $preset" cmake --preset "$preset" "${options[@]}" "$@"
}

# build PRESET [TARGET…], everything if no target is named.
build() {
    local preset=$1
    shift
    quiet "build $preset" cmake --build "build/$preset" --parallel "$(jobs_count)" ${1:+--target "$@"}
}

# llvm_tool NAME: the version 19 of an LLVM tool, or the system's.
llvm_tool() {
    command -v "$1-19" || command -v "$1" || die "no $1: run tools/setup check"
}

sanitizer_options() {
    local symbolizer
    symbolizer=$(command -v llvm-symbolizer-19 || command -v llvm-symbolizer || true)
    export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1}
    export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}
    export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1}
    if [[ -n $symbolizer ]]; then
        ASAN_OPTIONS+=:external_symbolizer_path=$symbolizer
        UBSAN_OPTIONS+=:external_symbolizer_path=$symbolizer
        TSAN_OPTIONS+=:external_symbolizer_path=$symbolizer
    fi
}
