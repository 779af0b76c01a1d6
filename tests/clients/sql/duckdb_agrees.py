"""Holds Pyralog's answers to SQL against DuckDB's over the same CSV.

    duckdb_agrees.py ADDRESS FOLDER

ADDRESS is where a node serves HTTP, with the logs flights, airlines, airports, planes
and weather loaded; FOLDER has a NAME.csv and a NAME.sql (its columns) of each. The
questions are in questions.sql beside this file. Values are compared one by one, in
order and with their types: whole numbers, texts, times and decimals exactly, fractions
to a billionth of their size.
"""

import datetime
import decimal
import json
import re
import sys
import urllib.error
import urllib.request
from pathlib import Path

import duckdb

TABLES = ["airlines", "airports", "flights", "planes", "weather"]
PATIENCE_S = 120
FRACTION = 1e-9

# What is compared with what. Engines differ in how wide a count or a sum is, and so
# does every schema; they must not differ in what kind of thing a column is.
KINDS = {
    "whole": ["TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"]
    + ["TINYINT UNSIGNED", "SMALLINT UNSIGNED", "INTEGER UNSIGNED", "BIGINT UNSIGNED"],
    "fraction": ["REAL", "FLOAT", "DOUBLE"],
    "decimal": ["DECIMAL"],
    "text": ["TEXT", "VARCHAR"],
    "truth": ["BOOLEAN"],
    "time": ["TIMESTAMP"],
    "date": ["DATE"],
}


def kind_of(type_name):
    base = re.sub(r"\(.*", "", type_name).strip()
    for kind, names in KINDS.items():
        if base in names:
            return kind
    raise AssertionError(f"a type that nothing here is compared by: {type_name}")


def questions():
    text = (Path(__file__).parent / "questions.sql").read_text()
    parts = re.split(r"^--- (.*)$", text, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2]))


def duck(folder):
    connection = duckdb.connect()
    for table in TABLES:
        columns = (folder / f"{table}.sql").read_text()
        connection.execute(f"CREATE TABLE {table} ({columns}\n)")
        connection.execute(f"COPY {table} FROM '{folder / table}.csv' (HEADER, NULLSTR 'NA')")
    return connection


def ask_duck(connection, query):
    answer = connection.execute(query)
    columns = [(column[0], kind_of(str(column[1]))) for column in answer.description]
    return columns, [list(row) for row in answer.fetchall()]


def ask_pyralog(address, query):
    body = json.dumps({"query": query}).encode()
    request = urllib.request.Request(f"http://{address}/v1/sql", body, {"content-type": "application/json"})
    columns, rows, done = None, [], None
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            for line in answer:
                document = json.loads(line)
                if "columns" in document:
                    columns = [(column["name"], kind_of(column["type"])) for column in document["columns"]]
                rows += document.get("rows", [])
                assert "error" not in document, document
                done = document.get("done", done)
    except urllib.error.HTTPError as error:
        raise AssertionError(error.read().decode()) from error
    assert done is not None, "the answer has no end"
    assert done["rows"] == len(rows), f"{len(rows)} rows came, the end says {done['rows']}"
    return columns, [[value(kind, cell) for (_, kind), cell in zip(columns, row)] for row in rows]


def value(kind, cell):
    """What the JSON of a cell means."""
    if cell is None:
        return None
    if kind == "whole":
        return int(cell)
    if kind == "decimal":
        return decimal.Decimal(cell)
    if kind == "time":
        assert not cell.endswith("Z"), "a time without a zone has none"
        return datetime.datetime.fromisoformat(cell)
    if kind == "date":
        return datetime.date.fromisoformat(cell)
    if kind == "fraction":
        return float(cell)
    assert isinstance(cell, bool if kind == "truth" else str), f"{cell!r} as {kind}"
    return cell


def same(kind, one, other):
    if one is None or other is None:
        return one is other
    if kind == "fraction":
        return abs(one - other) <= FRACTION * max(1.0, abs(one), abs(other))
    return one == other


def differences(one, other):
    """The first difference in words, or None."""
    (columns, rows), (other_columns, other_rows) = one, other
    if columns != other_columns:
        return f"columns {columns} and {other_columns}"
    for number, (row, other_row) in enumerate(zip(rows, other_rows)):
        for (name, kind), cell, other_cell in zip(columns, row, other_row):
            if not same(kind, cell, other_cell):
                return f"row {number}, column {name}: {cell!r} and {other_cell!r}\n  {row}\n  {other_row}"
    if len(rows) != len(other_rows):
        return f"{len(rows)} rows and {len(other_rows)}"
    return None


def sees_what_is_planted(answer):
    """A judge that lets everything pass would pass everything."""
    columns, rows = answer
    changed = [list(row) for row in rows]
    cell = changed[len(rows) // 2][0]
    changed[len(rows) // 2][0] = None if cell is not None else 0
    swapped = rows[1:2] + rows[:1] + rows[2:]
    for mutant in (changed, swapped, rows[:-1], rows + rows[-1:]):
        assert differences(answer, (columns, mutant)), "a planted difference was not seen"


def main():
    address, folder = sys.argv[1], Path(sys.argv[2])
    connection = duck(folder)
    failed, compared = [], 0
    asked = questions()
    for name, query in asked:
        theirs = ask_duck(connection, query)
        assert theirs[1], f"{name}: a question without an answer shows nothing"
        sees_what_is_planted(theirs)
        try:
            difference = differences(theirs, ask_pyralog(address, query))
        except AssertionError as error:
            difference = str(error)
        compared += len(theirs[0]) * len(theirs[1])
        if difference:
            failed.append(name)
            print(f"DuckDB {duckdb.__version__} and Pyralog differ: {name}\n  {difference}")
    print(f"{len(asked) - len(failed)} of {len(asked)} questions are answered alike, {compared} values")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
