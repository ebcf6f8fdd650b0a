# What ./dev and its parts share: words to the person, prerequisites, building. Sourced with `root` set.
# shellcheck shell=sh disable=SC2034,SC2154

# `boost` and `node` stand for what this system has of them (named).
packages_build="g++ cmake ninja-build pkg-config git ccache mold boost libssl-dev libfmt-dev libsqlite3-dev libgit2-dev
  zlib1g-dev libfyaml-dev libcli11-dev libsodium-dev libexpat1-dev libpcre2-dev libslirp-dev
  node"
packages_run="libslirp0"
packages_test="libgtest-dev libgmock-dev curl bubblewrap $packages_run"
packages_clang="clang-19 libclang-rt-19-dev llvm-19"
packages_lint="clang-tidy-19 clang-format-19"
# Ubuntu has chromium as a snap alone, which is not asked for: without it the tests of the browser are skipped.
packages_browser=$(grep -q '^ID=debian$' /etc/os-release 2>/dev/null && printf chromium || true)
packages_bench="redis-server nats-server nginx-light fcgiwrap wrk hyperfine buildbot buildbot-worker rsync"
packages_deb="dpkg-dev file"

say() { printf '%s\n' "== $*"; }

die() {
  status=$1
  shift
  printf './dev: %s\n' "$*" >&2
  exit "$status"
}

# --- Prerequisites ----------------------------------------------------------------------------------------------------

# Installs the packages that are not there. `boost` stands for the Boost that this system offers, 1.81 or newer, `node` for
# Node.js and npm.
want() {
  command -v dpkg-query >/dev/null 2>&1 || return 0 # no Debian: the configure step names what it misses
  missing=$(missing_of "$@")
  [ -n "$missing" ] || return 0
  as_root=$(way_to_root)
  if [ "$as_root" = none ]; then
    names=$(named "$missing")
    die 3 "Missing: $names. As root, run:
  apt-get update && apt-get install -y --no-install-recommends $names"
  fi
  say "Looking for packages"
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 update </dev/null ||
    say "apt-get update failed; going on with the lists that are there."
  names=$(named "$missing")
  say "Installing what is missing: $names"
  # shellcheck disable=SC2086
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
    install --no-install-recommends $names </dev/null ||
    die 3 "Some packages could not be installed; apt's reason is above. What is wanted:
  apt-get install -y --no-install-recommends $names"
}

missing_of() {
  for package in "$@"; do
    if [ "$package" = boost ]; then
      boost_is_there || printf '%s ' "$package"
    elif [ "$package" = node ]; then
      node_is_there || printf '%s ' "$package"
    else
      [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s ' "$package"
    fi
  done
}

# The packages with `boost` and `node` replaced by the names that this system has for them.
named() {
  names=$(printf '%s' "$1" | sed 's/\bnode\b/nodejs npm/; s/ *$//')
  case " $names " in
    *" boost "*) printf '%s' "$names" | sed "s/\bboost\b/$(boost_offered)/" ;;
    *) printf '%s' "$names" ;;
  esac
}

# Of the distribution or of another place: what builds the web pages wants Node 18.
node_is_there() {
  command -v npm >/dev/null 2>&1 || return 1
  version=$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/')
  [ "${version:-0}" -ge 18 ]
}

boost_is_there() {
  version=$(sed -n 's/^#define BOOST_VERSION \([0-9]*\).*/\1/p' /usr/include/boost/version.hpp 2>/dev/null)
  [ "${version:-0}" -ge 108100 ]
}

# Boost's packages of different versions exclude each other, and the unversioned one is too old on Debian 12.
boost_offered() {
  for version in 1.81 1.83 1.88; do
    if apt-cache policy "libboost$version-dev" 2>/dev/null | grep -q 'Candidate: [0-9]'; then
      printf 'libboost%s-dev' "$version"
      return
    fi
  done
  # No list of packages yet.
  if grep -q '^VERSION_CODENAME=bookworm' /etc/os-release; then printf 'libboost1.81-dev'; else printf 'libboost1.83-dev'; fi
}

# How to become root: nothing (we are), sudo (without a question where nobody can answer one), or `none`.
way_to_root() {
  if [ "$(id -u)" = 0 ]; then
    printf ''
  elif command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || { [ "${CI:-}" != true ] && [ -t 0 ]; }; }; then
    printf 'sudo'
  else
    printf 'none'
  fi
}

# --- Building ---------------------------------------------------------------------------------------------------------

# As many compilers as there are processors, but none without 1.5 GiB of memory.
jobs() {
  processors=$(nproc)
  fit=$(awk '/^MemAvailable:/ { print int($2 / 1572864) }' /proc/meminfo)
  [ "$fit" -ge 1 ] || fit=1
  [ "$processors" -le "$fit" ] || processors=$fit
  printf '%s' "${HEADRACE_JOBS:-$processors}"
}

configure() {
  preset=$1
  shift
  [ -f "$root/build/$preset/build.ninja" ] && return 0
  say "configuring build/$preset"
  (cd "$root" && cmake --preset "$preset" "$@" </dev/null >"/tmp/headrace-configure.$$" 2>&1) || {
    cat "/tmp/headrace-configure.$$" >&2
    rm -f "/tmp/headrace-configure.$$" "$root/build/$preset/build.ninja"
    die 3 "CMake could not configure build/$preset; its reason is above."
  }
  rm -f "/tmp/headrace-configure.$$"
}

# build PRESET [TARGET]...: as much as can be built, progress shown, non-zero if anything failed.
build() {
  preset=$1
  shift
  [ $# -gt 0 ] || set -- all
  NINJA_STATUS="[%f/%t %es] " ninja -C "$root/build/$preset" -j "$(jobs)" -k 0 "$@" </dev/null
}

sources() { (cd "$root" && find src tests bench fuzz -type f \( -name '*.cc' -o -name '*.h' \) | sort); }
