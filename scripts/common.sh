# Sourced by every script: one private environment, .venv, filled step by step; a step that is done costs nothing.
#
#   environment   the virtual environment itself
#   tools         the run-time dependencies and the `dev` extra of pyproject.toml
#   installation  aikv itself, as a wheel: compiled where a C compiler works, else pure
#
# The installed aikv is what `serve` runs. Tests of the pure form import the checkout instead, by PYTHONPATH.
# Each step leaves a stamp in .venv that holds what it was made from; a differing stamp means to do it again.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$root/.venv
unset PYTHONPATH
export PIP_DISABLE_PIP_VERSION_CHECK=1

say() { printf '== %s\n' "$*" >&2; }

fail() { printf '%s\n' "$*" >&2; exit 1; }

# done_before STAMP TEXT: whether the step STAMP was done from TEXT.
done_before() { [ -f "$venv/$1.stamp" ] && [ "$(cat "$venv/$1.stamp")" = "$2" ]; }

stamp() { printf '%s\n' "$2" > "$venv/$1.stamp"; }

# The requirements that pyproject.toml names for running (no argument) or for an extra.
requirements() {
  "$venv/bin/python" - "$root/pyproject.toml" "$@" <<'PYTHON'
import sys, tomllib
project = tomllib.load(open(sys.argv[1], "rb"))["project"]
print("\n".join(project["dependencies"] + [r for extra in sys.argv[2:] for r in project["optional-dependencies"][extra]]))
PYTHON
}

environment() {
  local python=${PYTHON:-python3}
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    fail "aikv needs Python 3.11 or newer; set PYTHON to one ($python is not)"
  local made_from; made_from=$("$python" -c 'import sys; print(sys.version, sys.base_prefix)')
  done_before environment "$made_from" && return
  say "making the private environment .venv with $("$python" --version)"
  rm -rf "$venv"
  "$python" -m venv "$venv" || fail "python3 -m venv does not work here; on Debian: apt-get install python3-venv"
  stamp environment "$made_from"
}

# require STAMP [EXTRA]: install the dependencies.
require() {
  environment
  local list; list=$(requirements "${@:2}")
  done_before "$1" "$list" && return
  say "installing the $1 dependencies"
  printf '%s\n' "$list" > "$venv/requirements.txt"
  "$venv/bin/pip" install --quiet --requirement "$venv/requirements.txt"
  stamp "$1" "$list"
}

tools() { require development dev; }

# What an installation is made from: the sources, the Python, the compiler and the wish to do without one.
fingerprint() {
  {
    cat "$venv/environment.stamp"
    printf '%s\n' "pure=${AIKV_PURE:-0} opt=${MYPYC_OPT_LEVEL:-} cc=${CC:-} $(command -v "${CC:-cc}" gcc clang || true)"
    cd "$root"
    find aikv pyproject.toml scripts/build_hook.py -type f ! -path '*/__pycache__/*' -print0 | sort -z | xargs -0 sha256sum
  } | sha256sum | cut -d ' ' -f 1
}

installation() {
  require run-time
  local made_from; made_from=$(fingerprint)
  done_before installation "$made_from" && return
  say "building and installing aikv; where a C compiler works this compiles it, which takes a minute or two"
  "$venv/bin/pip" install --quiet --no-deps --force-reinstall "$root"
  stamp installation "$made_from"
  is_compiled || say "NOTE: aikv is installed in its pure form, which is several times slower:" \
    "AIKV_PURE is set, or no C compiler with Python's headers was found (on Debian: apt-get install gcc python3-dev)"
}

# Whether the installed aikv is the compiled one.
is_compiled() { "$venv/bin/python" -P -c 'import sys, aikv.base.form as f; sys.exit(not f.COMPILED)'; }
