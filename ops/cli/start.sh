#!/bin/sh
# `npm run ops` where no npm is on the PATH, as under cron: any Node installs what is missing, a new enough one runs it.
root=$(dirname "$(readlink -f "$0")")/../..

# Prints where the first Node of at least this version is.
find_node() {
	for node in node /usr/local/bin/node "$root"/node_modules/node-*/bin/node; do
		"$node" -e "process.exit(+(parseInt(process.versions.node) < $1))" 2>/dev/null && command -v "$node" && return
	done
}

node=$(find_node 20)
if [ -z "$node" ]; then
	echo "English Chat needs Node.js 20 or newer, and there is none: install it from https://nodejs.org." >&2
	exit 1
fi
# npm lies beside it. What is said of installing is no answer of the command.
PATH=$(dirname "$node"):$PATH "$node" "$root/ops/prepare.js" packages >&2 || exit 1
exec "$(find_node 24)" "$root/ops/cli.ts" "$@"
