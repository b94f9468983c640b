#!/usr/bin/env bash
# ansible-test wants the collection in a real folder of a certain name, so it gets a copy of what is shipped, and its tests.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
copy=$work/ansible_collections/hawq/mirroring
mkdir -p "$copy"
git ls-files -co --exclude-standard -z -- ':!collections' ':!molecule' ':!.config' ':!tests/bench' |
  while IFS= read -r -d '' file; do [[ ! -e $file ]] || printf '%s\0' "$file"; done |
  tar --null --files-from=- -cf - | tar -C "$copy" -xf -

# Its environments start with a pip from the Internet; Python brings one that does as well.
pip=~/.ansible/test/cache/get_pip_24_2.py
if [[ ! -e $pip ]]; then
  mkdir -p "${pip%/*}"
  printf 'import ensurepip\n\nensurepip.bootstrap(upgrade=True)\n' >"$pip"
fi

cd "$copy"
version=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
ansible-test sanity --color no --python "$version" "$@"
