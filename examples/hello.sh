#!/usr/bin/env bash
# One record with kcat, in and out again.
#
# Needs a node (`pyralog dev`) and kcat.
set -euo pipefail

kafka="${PYRALOG_KAFKA:-127.0.0.1:9092}"

echo 'greeting:hello' | kcat -b "$kafka" -t hello -P -K :
kcat -b "$kafka" -t hello -C -o beginning -e -q -f '%p\t%o\t%k\t%s\n'
