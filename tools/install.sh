#!/usr/bin/env bash
# make install PREFIX=...: the program, its man pages and its completions, all made from its own description of its commands, and the jobs.
# install.sh PREFIX [PROGRAM]: another program than that of .build.
set -euo pipefail
cd "$(dirname "$0")/.."
prefix=$1
fathom=${2:-.build/release/fathom}
mkdir -p "$prefix/bin" "$prefix/share/man/man1" "$prefix/share/bash-completion/completions" \
  "$prefix/share/zsh/site-functions" "$prefix/share/fish/vendor_completions.d" "$prefix/share/fathom" 2>/dev/null && [ -w "$prefix/bin" ] || {
  echo "install: $prefix cannot be written to; give another, as in: make install PREFIX=\$HOME/.local" >&2
  exit 1
}
install -m 755 "$fathom" "$prefix/bin/fathom"
"$fathom" --generate-completion-script bash >"$prefix/share/bash-completion/completions/fathom"
"$fathom" --generate-completion-script zsh >"$prefix/share/zsh/site-functions/_fathom"
"$fathom" --generate-completion-script fish >"$prefix/share/fish/vendor_completions.d/fathom.fish"
python3 tools/manual.py "$fathom" "$prefix/share/man/man1"
# Not results that lie beside the jobs.
tar -c --exclude='*.h5*' jobs hostfiles | tar -x -C "$prefix/share/fathom"
echo "install: fathom $("$fathom" --version) and $(find "$prefix/share/man/man1" -name 'fathom*.1' | wc -l) man pages in $prefix"
