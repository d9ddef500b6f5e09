#!/bin/sh
# Makes the environment VENV where there is none, with PYTHON or the first Python that will do, and installs into it what
# the arguments name, as they would for pip:
#   sh tools/install.sh -r requirements.txt --editable .
# TORCH=cpu takes torch without CUDA packages, by way of uv. Says what it does, and how long it took.
set -eu

PYTHON=${PYTHON:-}
VENV=${VENV:-.venv}
TORCH=${TORCH:-}
UV=uv==0.13.9

say() { printf '%s\n' "$*"; }
fail() {
  say "$*" >&2
  exit 1
}

choose_python() {
  if [ -n "$PYTHON" ]; then set -- "$PYTHON"; else set -- python3 python3.13 python3.12 python3.11; fi
  for python; do
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && return
  done
  fail "bertnesia needs Python 3.11 or newer, and $1 is $("$1" --version 2>/dev/null || echo "not there"):" \
    "install it, or name another with PYTHON=..."
}

make_environment() {
  "$VENV/bin/python" -m pip --version >/dev/null 2>&1 && return
  choose_python
  "$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "$python cannot make environments: install its venv package (on Debian and Ubuntu: apt-get install python3-venv)."
  say "Creating the environment $VENV with $("$python" --version)"
  "$python" -m venv --clear "$VENV" || fail "The environment $VENV could not be made: see above."
}

announce_size() {
  "$VENV/bin/python" -c 'import torch' 2>/dev/null && return
  if [ "$TORCH" = cpu ]; then
    say "Without CUDA packages: about 0.4 GB to download."
  elif [ "$(uname -s)" = Linux ]; then
    say "On Linux torch brings CUDA packages: about 3 GB to download in all, 0.4 GB without them (make app TORCH=cpu)."
  else
    say "About 0.4 GB to download."
  fi
}

# pip prints several hundred lines: the larger downloads and the last step are worth one each.
pip_install() {
  done=$VENV/.pip-done
  { PYTHONUNBUFFERED=1 "$VENV/bin/python" -m pip install --disable-pip-version-check --progress-bar off "$@" &&
    : >"$done"; } | while read -r step what rest; do
    case "$step $rest" in
      Downloading*' MB)' | Downloading*' GB)') say "  downloading $what $rest" ;;
    esac
    [ "$step $what" != "Installing collected" ] || say "  unpacking and installing"
  done
  rm "$done" 2>/dev/null || fail "The installation failed: see above. Started again, it goes on with what it has."
}

install() {
  if [ "$TORCH" = cpu ]; then
    pip_install "$UV"
    "$VENV/bin/uv" pip install --python "$VENV/bin/python" --torch-backend=cpu "$@" ||
      fail "The installation without CUDA packages failed: see above. Without TORCH=cpu, the default torch is taken."
  else
    pip_install "$@"
  fi
}

case $TORCH in '' | cpu) ;; *) fail "TORCH is '$TORCH', and can only be cpu." ;; esac
began=$(date +%s)
make_environment
announce_size
say "Installing $* into $VENV"
install "$@"
say "Installed in $(($(date +%s) - began)) s; $VENV takes $(($(du -sk "$VENV" | cut -f1) / 1024)) MB."
