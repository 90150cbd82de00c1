#!/bin/sh
# Owns how a peer's npm packages are installed, by its lock; what is there already costs nothing. Words: the peer's folder.
set -eu
cd "$(dirname "$0")/$1"
../../need node nodejs
../../need npm npm
# Some packages come as source where nobody has built them for this machine.
../../need make make
../../need c++ g++
node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' || {
    echo "error: node $(node --version) is too old for the peers: they need 20.19 or newer" >&2
    exit 1
}
[ -f node_modules/.package-lock.json ] && [ ! package-lock.json -nt node_modules/.package-lock.json ] || npm ci --no-audit --no-fund --fetch-retries=1
