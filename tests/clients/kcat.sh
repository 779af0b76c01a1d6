#!/usr/bin/env bash
# What kcat does all day, against the Kafka address given: metadata, every
# codec in and out, keys, partitions, offsets and timestamps.
set -euo pipefail
kafka="$1"
folder="$(mktemp -d)"
trap 'rm -rf -- "$folder"' EXIT

check() { # check WHAT EXPECTED FOUND
    if [ "$2" != "$3" ]; then
        printf '%s: expected %s, found %s\n' "$1" "$2" "$3" >&2
        exit 1
    fi
}

seq 1 5000 | sed 's/.*/key-&|value-& with words that repeat, with words that repeat/' > "$folder/lines"
for codec in none gzip snappy lz4 zstd; do
    kcat -b "$kafka" -t "codec-$codec" -P -z "$codec" -K '|' < "$folder/lines"
    kcat -b "$kafka" -t "codec-$codec" -C -o beginning -e -q -f '%k|%s\n' > "$folder/out"
    cmp "$folder/lines" "$folder/out"
    echo "kcat: 5000 records through $codec"
done

kcat -b "$kafka" -t idempotent -P -X enable.idempotence=true -K '|' < "$folder/lines"
kcat -b "$kafka" -t idempotent -C -o beginning -e -q -f '%k|%s\n' > "$folder/out"
cmp "$folder/lines" "$folder/out"
echo "kcat: 5000 records of an idempotent producer"

kcat -b "$kafka" -L > "$folder/metadata"
check "topics in the list" 5 "$(grep -c 'topic "codec-' "$folder/metadata")"
kcat -b "$kafka" -L -J | python3 -c 'import json, sys; json.load(sys.stdin)'

# Offsets: from the middle, from the end, a number of records.
check "from offset 4998" $'value-4999 with words that repeat, with words that repeat\nvalue-5000 with words that repeat, with words that repeat' \
    "$(kcat -b "$kafka" -t codec-none -p 0 -C -o 4998 -e -q -f '%s\n')"
check "two before the end" 2 "$(kcat -b "$kafka" -t codec-zstd -p 0 -C -o -2 -e -q | wc -l)"
check "three records" 3 "$(kcat -b "$kafka" -t codec-lz4 -p 0 -C -o beginning -c 3 -q | wc -l)"

# Timestamps: all records are younger than a moment before, none than tomorrow.
now_ms="$(($(date +%s) * 1000))"
check "by an early timestamp" "codec-gzip [0] offset 0" "$(kcat -b "$kafka" -Q -t "codec-gzip:0:$((now_ms - 3600000))")"
check "by a late timestamp" "codec-gzip [0] offset -1" "$(kcat -b "$kafka" -Q -t "codec-gzip:0:$((now_ms + 86400000))")"

# An empty value, a NULL, headers.
printf 'a:\nb:full\n' | kcat -b "$kafka" -t marks -P -K : -Z -H color=blue
check "null, value and headers" "a -1 color=blue b 4 color=blue" \
    "$(kcat -b "$kafka" -t marks -C -o beginning -e -q -f '%k %S %h ' | sed 's/ $//')"
echo "kcat: metadata, offsets, timestamps, marks"
