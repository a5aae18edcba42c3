#!/bin/sh
# Restores a backup: ./restore.sh <timestamp|number|latest>. More: ./restore.sh --help
exec sh "$(dirname "$(readlink -f "$0")")/ops/cli/start.sh" restore "$@"
