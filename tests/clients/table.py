"""The compatibility table of `docs/clients.md`, made from the report of a run."""

import difflib
import json
from pathlib import Path

FEATURES = json.loads((Path(__file__).parent / "features.json").read_text())
CLIENTS = [
    "kcat",
    "confluent-kafka",
    "kafka-python",
    "aiokafka",
    "kafkajs",
    "@platformatic/kafka",
]
SIGNS = {"ok": "✓", "unsupported-by-client": "–", "not-served": "✗"}
BEGIN = "<!-- The run of tests/clients/run.py --write begins here. -->\n"
END = "<!-- It ends here. -->\n"


def settle(lines, document, write):
    """Compares the document with the run, or writes it. The status to end with."""
    text = document.read_text()
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    new = before + BEGIN + made_of(lines) + END + after
    if new == text:
        print(f"{document.name} is what the run says")
        return 0
    if write:
        document.write_text(new)
        print(f"{document.name} is written anew")
        return 0
    differences = difflib.unified_diff(
        text.splitlines(), new.splitlines(), "committed", "the run", lineterm="", n=1
    )
    print(*differences, sep="\n")
    print(f"FAILED {document.name} is not what the run says: run tests/clients/run.py --write")
    return 1


def made_of(lines):
    """The table of every theme, and the notes below."""
    versions = {line["client"]: line["version"] for line in lines}
    outcomes = {(line["client"], line["check"]): line for line in lines}
    notes = []
    parts = [part(theme, outcomes, versions, notes) for theme in FEATURES.values()]
    parts.append("\n".join(f"{number}. {note}" for number, note in enumerate(notes, 1)))
    return "\n" + "\n\n".join(parts) + "\n\n"


def part(theme, outcomes, versions, notes):
    """One theme's table. A note is numbered where it is first needed."""
    heads = [f"{client} {versions[client]}" for client in CLIENTS]
    rows = [f"| {theme['title']} | {' | '.join(heads)} |", "|---" + "|:-:" * len(heads) + "|"]
    for check, feature in theme["features"].items():
        cells = [cell(outcomes[client, check], notes) for client in CLIENTS]
        rows.append(f"| {feature} | {' | '.join(cells)} |")
    return "\n".join(rows)


def cell(line, notes):
    """The sign of an outcome, with the number of its note."""
    sign = SIGNS[line["outcome"]]
    note = line["note"]
    if not note:
        return sign
    if note not in notes:
        notes.append(note)
    return f"{sign}<sup>{notes.index(note) + 1}</sup>"
