#!/bin/sh
# Makes a backup, from any folder and from cron. More: ./backup.sh --help
exec sh "$(dirname "$(readlink -f "$0")")/ops/cli/start.sh" backup "$@"
