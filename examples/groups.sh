#!/usr/bin/env bash
# Two members of a group share a log: each record is read by one of them, and the
# group knows how far it is.
#
# Needs a node (`pyralog dev`), kcat, and `pyralog` on the PATH or in $PYRALOG.
set -euo pipefail

export PYRALOG_SERVER="${PYRALOG_SERVER:-http://127.0.0.1:8080}"
kafka="${PYRALOG_KAFKA:-127.0.0.1:9092}"
pyralog="${PYRALOG:-pyralog}"
out="$(mktemp -d)"
trap 'rm -rf "$out"' EXIT

"$pyralog" log create orders --partitions 4
seq 1 1000 | "$pyralog" produce orders --quiet

# Each reads until it has seen the end of the partitions that are its own.
member() {
    kcat -b "$kafka" -G billing -X auto.offset.reset=earliest -e -q orders > "$out/$1"
}
member first & first=$!
member second & second=$!
wait "$first" "$second"

echo "$(cat "$out/first" "$out/second" | sort -n | uniq | wc -l) orders billed"
"$pyralog" group describe billing
