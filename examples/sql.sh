#!/usr/bin/env bash
# A year of flights as a table: a log with a schema, a CSV file into it, and three
# questions in SQL.
#
# Needs a node (`pyralog dev`), and `pyralog` on the PATH or in $PYRALOG.
set -euo pipefail

export PYRALOG_SERVER="${PYRALOG_SERVER:-http://127.0.0.1:8080}"
data="$(dirname "$0")/data"
pyralog="${PYRALOG:-pyralog}"

# What SQL finds in the records. Columns can be appended later.
"$pyralog" log create flights --partitions 4 --schema "@$data/flights.sql"

# A row becomes a JSON object; what one plane did stays in order in one partition.
"$pyralog" produce flights --csv "$data/flights-2013.csv.zst" --key tailnum --null NA --quiet

# The airlines bring their own log, with a schema that is read off the rows.
"$pyralog" produce airlines --csv "$data/airlines.csv" --key carrier --create --infer-schema --quiet

echo "Which airlines were late, on average?"
"$pyralog" sql "
    SELECT a.name, count(*) AS flights, round(avg(f.arr_delay), 1) AS minutes_late
    FROM flights f JOIN airlines a ON a.carrier = f.carrier
    GROUP BY a.name ORDER BY minutes_late DESC LIMIT 3"

echo "Which day was worst?"
"$pyralog" sql "
    SELECT month, day, round(avg(dep_delay), 1) AS minutes_late
    FROM flights GROUP BY month, day ORDER BY minutes_late DESC LIMIT 1"

echo "What did one plane do first, as the log has it?"
"$pyralog" sql "
    SELECT _offset, time_hour, carrier, flight, origin, dest
    FROM flights WHERE tailnum = 'N14228' ORDER BY _offset LIMIT 3"
