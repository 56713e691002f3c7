#!/bin/sh
# Runs a TypeScript file of this clone: sh lab/setup.sh lab/main.ts up
# From a fresh clone it needs npm and a Node of 20 or later; it installs the dependencies when they do not match
# package-lock.json, and the Node that the project runs on comes with them. Says what it does on stderr.
set -u

say() { echo "softmap: $*" >&2; }
stop() {
  say "$1"
  shift
  for line in "$@"; do say "  $line"; done
  exit 1
}

[ $# -gt 0 ] || stop "usage: sh lab/setup.sh SCRIPT.ts [ARGUMENT...]"
here=$(dirname -- "$0")
CDPATH='' cd -- "$here/.." || exit 1
root=$PWD
node=$root/node_modules/.bin/node
# A copy of the lock file that was installed: comparing it takes a millisecond.
stamp=node_modules/.softmap-lock.json

# 0 when what npm installed is what the lock file says, whoever installed it.
installed() {
  [ -f node_modules/.package-lock.json ] && command -v node >/dev/null && node -e '
    const read = (file) => JSON.parse(require("fs").readFileSync(file, "utf8")).packages;
    const [want, have] = [read("package-lock.json"), read("node_modules/.package-lock.json")];
    const same = (name) => name in have && want[name]?.version === have[name].version;
    const wanted = Object.keys(want).filter((name) => name !== "" && !want[name].optional);
    const extra = Object.keys(have).filter((name) => !(name in want));
    process.exit(wanted.every(same) && extra.length === 0 ? 0 : 1);' 2>/dev/null
}

# Runs a command with its output kept, and says every ten seconds that it still runs.
patiently() {
  what=$1
  shift
  log=$(mktemp) || exit 1
  "$@" >"$log" 2>&1 </dev/null &
  job=$!
  trap 'kill "$job" 2>/dev/null; rm -f "$log"; exit 130' INT TERM HUP
  seconds=0
  while kill -0 "$job" 2>/dev/null; do
    sleep 1
    seconds=$((seconds + 1))
    [ $((seconds % 10)) -ne 0 ] || say "$what, $seconds s"
  done
  wait "$job"
  code=$?
  trap - INT TERM HUP
  [ "$code" -eq 0 ] || sed 's/^/  /' "$log" >&2
  rm -f "$log"
  return "$code"
}

install() {
  if [ ! -d node_modules ]; then why="node_modules is missing"; else why="node_modules does not match package-lock.json"; fi
  command -v node >/dev/null && command -v npm >/dev/null ||
    stop "$why, and node or npm is not installed" "Install Node 20 or later with npm (Debian: apt install nodejs npm)."
  major=$(node -p 'process.versions.node.split(".")[0]')
  [ "$major" -ge 20 ] || stop "Node $(node --version) is too old to install the dependencies" "Install Node 20 or later."
  say "$why: installing the dependencies (npm ci)"
  patiently "npm ci" npm ci --no-audit --no-fund ||
    stop "npm ci failed, see above" "Look at: npm config get registry. Then run the same command again."
}

# The npm package "node" puts its program in place with an install script, which npm can be told to block.
place_node() {
  "$node" --version >/dev/null 2>&1 && return
  say "the npm package \"node\" was installed without its program (install scripts blocked?): fetching it"
  (cd node_modules/node && patiently "fetching Node" node installArchSpecificPackage)
  # npm links no command to a file that is not there yet.
  [ ! -x node_modules/node/bin/node ] || ln -sf ../node/bin/node node_modules/.bin/node
  "$node" --version >/dev/null 2>&1 && return
  # A Node that is installed anyway will do, if the SDK accepts it.
  major=$(node -p 'process.versions.node.split(".")[0]')
  [ "$major" -ge 22 ] || stop "node_modules/.bin/node does not run, and the installed Node $(node --version) is too old" \
    "Allow the install script of the package: npm install-scripts approve node && npm rebuild node" \
    "or install Node 22 or later."
  say "using the installed Node $(node --version)"
  node=$(command -v node)
}

if ! cmp -s package-lock.json "$stamp" || [ ! -x "$node" ]; then
  installed || install
  place_node
  [ "$node" != "$root/node_modules/.bin/node" ] || cp package-lock.json "$stamp"
fi

export PATH="$root/node_modules/.bin:$PATH"
exec "$node" -r ./cli/register.js "$@"
