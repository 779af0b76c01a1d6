#!/usr/bin/env bash
# The flights that left New York in 2013: into a log, keyed by aircraft, and
# out again to count them by airline.
#
# Needs a node (`pyralog dev`), zstd, and `pyralog` on the PATH or in $PYRALOG.
set -euo pipefail

export PYRALOG_SERVER="${PYRALOG_SERVER:-http://127.0.0.1:8080}"
data="$(dirname "$0")/data/flights-2013.csv.zst"
pyralog="${PYRALOG:-pyralog}"

"$pyralog" log create flights --partitions 8

# A line of the file becomes `tailnum|line`; column 12 is the aircraft.
zstd --decompress --stdout --quiet "$data" |
    awk -F, 'NR > 1 { print $12 "|" $0 }' |
    "$pyralog" produce flights --key-separator '|' --quiet

out="$(mktemp)"
trap 'rm -f "$out"' EXIT
"$pyralog" consume flights --until-end > "$out"

echo "$(wc -l < "$out") flights"
echo "by airline:"
awk -F, '{ count[$10]++ } END { for (airline in count) print count[airline], airline }' "$out" | sort -rn
