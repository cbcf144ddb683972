#!/usr/bin/env bash
# What the dependencies are held to (deny.toml), and that they come from a registry without anything that is here already:
# with the lock file's checksums, and none of them yanked. Installs cargo-deny where there is none.
set -euo pipefail
cd "$(dirname "$0")/.."

deny=0.20.2
if ! cargo deny --version 2> /dev/null | grep -qx "cargo-deny $deny"; then
    cargo install --locked --quiet "cargo-deny@$deny"
fi
cargo deny --locked check licenses bans sources

# The database of advisories is a git repository, which is not to be had where only registries are.
database=https://github.com/RustSec/advisory-db
if timeout 20 git ls-remote --quiet "$database" HEAD > /dev/null 2>&1; then
    cargo deny --locked check advisories
else
    echo "advisories: not checked, $database cannot be reached"
fi

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
CARGO_HOME="$fresh" cargo fetch --locked --quiet
echo "clean registry: every dependency is there, with the checksum of Cargo.lock"

# Cargo asks the registry for yanked versions when it packages.
packaged=$(CARGO_TARGET_DIR="$fresh/target" cargo package --locked --no-verify --allow-dirty 2>&1)
if grep -i yanked <<< "$packaged"; then
    exit 1
fi
echo "yanked: none"
