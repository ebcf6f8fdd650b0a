// What actions/checkout does where the job runs: scripts for /bin/sh and the job's own git. Internal to the checkout.
#pragma once

#include <string_view>

namespace headrace::runner {

// Read by /bin/sh in the workspace. Values come by the environment, never as words of the script.
inline constexpr std::string_view begin_script = R"sh(set -e
command -v git >/dev/null || { echo "git is not installed where this job runs; actions/checkout needs it." >&2; exit 1; }
mkdir -p "$CHECKOUT_PATH"
cd "$CHECKOUT_PATH"
if [ "$CHECKOUT_SAFE" = true ]; then git config --global --add safe.directory "$(pwd)"; fi
if [ -d .git ]; then
  rm -f .git/index.lock .git/shallow.lock
  if [ "$CHECKOUT_CLEAN" = true ]; then git clean -ffdxq; git reset --quiet --hard HEAD 2>/dev/null || true; fi
  git checkout --quiet --detach 2>/dev/null || true
else
  git -c init.defaultBranch=main init --quiet .
fi
git remote remove origin 2>/dev/null || true
git remote add origin "$CHECKOUT_URL"
git config --local gc.auto 0
)sh";

inline constexpr std::string_view fetch_script =
    R"sh(cd "$CHECKOUT_PATH" && exec git -c protocol.fd.allow=always "$@" 7<&0 8>&1 </dev/null >/dev/null 2>"$CHECKOUT_SAID")sh";

inline constexpr std::string_view end_script = R"sh(set -e
cd "$CHECKOUT_PATH"
if [ -n "$CHECKOUT_SPARSE" ]; then
  if [ "$CHECKOUT_CONE" = true ]; then printf '%s\n' "$CHECKOUT_SPARSE" | git sparse-checkout set --cone --stdin
  else printf '%s\n' "$CHECKOUT_SPARSE" | git sparse-checkout set --no-cone --stdin; fi
else
  git sparse-checkout disable 2>/dev/null || true
fi
case "$CHECKOUT_REF" in
  refs/heads/*) git checkout --quiet --force -B "${CHECKOUT_REF#refs/heads/}" "$CHECKOUT_COMMIT"
    git update-ref "refs/remotes/origin/${CHECKOUT_REF#refs/heads/}" "$CHECKOUT_COMMIT"
    git branch --quiet --set-upstream-to "origin/${CHECKOUT_REF#refs/heads/}" 2>/dev/null || true ;;
  refs/tags/*) git update-ref "$CHECKOUT_REF" "$CHECKOUT_COMMIT"
    git checkout --quiet --force --detach "$CHECKOUT_COMMIT" ;;
  *) git checkout --quiet --force --detach "$CHECKOUT_COMMIT" ;;
esac
if [ -n "$CHECKOUT_CREDENTIALS" ]; then
  printf '[http "%s/"]\n\textraheader = AUTHORIZATION: basic %s\n' "$CHECKOUT_SERVER" "$CHECKOUT_CREDENTIALS" >> .git/config
fi
git log -1 --format=%H
)sh";

inline constexpr std::string_view post_script = R"sh(cd "$CHECKOUT_PATH" 2>/dev/null || exit 0
git config --local --unset-all "http.$CHECKOUT_SERVER/.extraheader" 2>/dev/null
exit 0
)sh";

// The objects of the mirror are there to be read (CHECKOUT_OBJECTS): they are named, not copied. CHECKOUT_SHALLOW is
// true where history ends at the commit; CHECKOUT_REFS is a file for `git update-ref --stdin`, or empty.
inline constexpr std::string_view share_script = R"sh(set -e
cd "$CHECKOUT_PATH"
mkdir -p .git/objects/info
printf '%s\n' "$CHECKOUT_OBJECTS" > .git/objects/info/alternates
if ! git cat-file -e "$CHECKOUT_COMMIT^{tree}" 2>/dev/null; then rm -f .git/objects/info/alternates; exit 9; fi
rm -f .git/shallow
if [ "$CHECKOUT_SHALLOW" = true ] && git cat-file -p "$CHECKOUT_COMMIT" | sed '/^$/q' | grep -q '^parent '; then
  echo "$CHECKOUT_COMMIT" > .git/shallow
fi
if [ -n "$CHECKOUT_REFS" ]; then git update-ref --stdin < "$CHECKOUT_REFS"; fi
)sh";

// The words of .gitmodules, each ended by a zero byte.
inline constexpr std::string_view list_script =
    R"sh(cd "$CHECKOUT_PATH" && [ -f .gitmodules ] && [ ! -L .gitmodules ] || exit 0
exec git config -z -f .gitmodules --get-regexp '^submodule\..*\.(path|url)$')sh";

// The commit that the repository wants of the submodule at $1; nothing where a link leads there.
inline constexpr std::string_view wanted_script = R"sh(cd "$CHECKOUT_PATH" || exit 1
at=.
rest=$1
while [ -n "$rest" ]; do
  at=$at/${rest%%/*}
  if [ -L "$at" ]; then exit 1; fi
  case $rest in */*) rest=${rest#*/} ;; *) rest= ;; esac
done
exec git rev-parse --verify --quiet "HEAD:$1")sh";

// The submodule at CHECKOUT_SUBMODULE of CHECKOUT_PATH has its files: it becomes what `git submodule update` makes.
inline constexpr std::string_view absorb_script = R"sh(set -e
cd "$CHECKOUT_PATH"
git submodule --quiet init -- "$CHECKOUT_SUBMODULE"
git submodule --quiet absorbgitdirs -- "$CHECKOUT_SUBMODULE" 2>/dev/null
)sh";

inline constexpr std::string_view large_files_script = R"sh(set -e
cd "$CHECKOUT_PATH"
if ! command -v git-lfs >/dev/null; then
  echo "lfs: true of actions/checkout needs git-lfs where the job runs; install it (apt-get install git-lfs), or leave lfs out." >&2
  exit 1
fi
git lfs install --local --skip-smudge >/dev/null
exec git lfs pull
)sh";

}  // namespace headrace::runner
