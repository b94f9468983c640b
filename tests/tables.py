# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes the tables that come from the code: decisions, readiness, findings.   Usage: .venv/bin/python tests/tables.py

Each case of a unit test is judged, and becomes a row: its name, the options that it gives, what was decided.
tests/unit/test_docs.py fails when the text in a page is another one.
"""

from __future__ import annotations

import ast
import importlib
import sys
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: a row shows so many words of a refusal
WORDS = 12
FENCES = {
    "module": "on its host",
    "command": "by fence_command",
    "operator's word": "declared dead",
    "none": "not needed",
}


def unit(test: str) -> t.Any:
    """Return a module of the unit tests."""
    for place in ("collections", "tests/unit"):
        if str(ROOT / place) not in sys.path:
            sys.path.append(str(ROOT / place))
    return importlib.import_module(test)


def given(options: dict[str, t.Any]) -> str:
    """Return the options of a case as an operator gives them, and the witnesses that it has."""
    witnesses = sorted(options.get("witnesses") or {})
    words = [f"witness {name}" for name in witnesses]
    for name in ("divergence", "failed_routes", "witnesses"):
        options = {key: value for key, value in options.items() if key != name}
    return ", ".join([*(f"`{name}={_value(value)}`" for name, value in options.items()), *words])


def _value(value: t.Any) -> str:
    return str(value).lower() if isinstance(value, bool) else "…" if " " in str(value) else str(value)


def refused(refusals: list[t.Any]) -> str:
    """Return the first words of a refusal."""
    words = refusals[0].found.split()
    return "**refused**: " + " ".join(words[:WORDS]) + (" …" if len(words) > WORDS else "")


def rows(header: tuple[str, ...], lines: t.Iterable[tuple[str, ...]]) -> str:
    """Return a table in Markdown."""
    cells = [header, ("---",) * len(header), *lines]
    return "".join(f"| {' | '.join(each.replace('|', '/') for each in line)} |\n" for line in cells)


def failover() -> str:
    """Return the decision table of a failover."""
    test, cases = unit("test_failover"), unit("cases")
    lines = []
    for table in (test.PLANS, test.REFUSALS):
        for case, (hosts, options, *_expected) in table.items():
            verdict = cases.failover(hosts, options)
            outcome = refused(verdict.refusals) if verdict.refusals else _failover(verdict.plan)
            lines.append((case, given(options), outcome))
    return rows(("case", "options", "outcome"), lines)


def _failover(plan: dict[str, t.Any]) -> str:
    words = [f"activate {plan['new']}" if plan["activate"] else f"{plan['new']} is the master already"]
    if plan["old"]:
        words.append(f"fence of {plan['old']}: {FENCES[plan['fence']]}")
    words += ["salvage"] if plan["salvage"] else []
    words += [f"{name} follows" for name in sorted(plan["followers"])]
    return ", ".join(words)


def resync() -> str:
    """Return the decision table of a resynchronisation."""
    test, cases = unit("test_resync"), unit("cases")
    lines = []
    for case, (standby, master, options, *_expected) in test.WAYS.items():
        verdict = cases.resync({"mdw": master, "smdw": standby}, options)
        outcome = refused(verdict.refusals) if verdict.refusals else f"`{verdict.plan['route']}`"
        lines.append((case, given(options), outcome))
    return rows(("case", "options", "outcome"), lines)


def readiness() -> str:
    """Return what would come of each fault of a master, by what is the matter before."""
    test, cases = unit("test_readiness"), unit("cases")
    lines = []
    for case, (hosts, _outcomes, _kinds) in test.READINESS.items():
        document = cases.state(hosts)
        outcomes = [f"**{row['outcome']}**" if row["kinds"] else row["outcome"] for row in document["readiness"]]
        told = " ".join(f"{row['kind']}: `{row['command']}`" for row in document["problems"])
        lines.append((case, *outcomes, told or "none", str(document["exit_code"])))
    return rows(("what is the matter", *test.CASES, "problem, and what mends it now", "exit"), lines)


def exits() -> str:
    """Return the exit codes of state.yml, in the order in which they are told."""
    found = unit("test_findings").findings
    lines = [(str(code), found.EXITS[code]) for code in (*found.PRECEDENCE, found.WELL)]
    return rows(("exit code", "what it says"), lines)


def kinds() -> str:
    """Return the kinds of problems and notes."""
    found = unit("test_findings").findings
    lines = [
        (
            f"`{name}`",
            str(sort.exit_code or "note"),
            "yes" if name in found.ACCEPTABLE else "",
            sort.meaning,
        )
        for name, sort in found.KINDS.items()
    ]
    return rows(("kind", "exit code", "`state_accept`", "what was found"), lines)


def checks() -> str:
    """Return all reasons for which a playbook refuses, as the judges have them; what differs each time is a dot."""
    known = t.get_args(unit("test_types").refusal.Kind)
    found = set()
    for path in (ROOT / "plugins/module_utils/judge").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Refusal", "refuse"):
                kind, *texts = [_text(each) for each in node.args[:3]] or [DOT]
                if len(texts) == 2 and kind in known and texts[0] != DOT:
                    found.add((f"`{kind}`", *texts))
    return rows(("kind", "what is found", "why that stops the work"), sorted(found))


DOT = "…"


def _text(node: ast.expr) -> str:
    """Return what a text says, whatever is put into it."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    parts = node.values if isinstance(node, ast.JoinedStr) else []
    return "".join(str(each.value) if isinstance(each, ast.Constant) else DOT for each in parts) or DOT


#: the tables of each page
PAGES = {
    "ARCHITECTURE.md": {"failover": failover, "resync": resync},
    "docs/readiness.md": {"readiness": readiness},
    "docs/checks.md": {"checks": checks},
    "docs/state.md": {"exits": exits, "kinds": kinds},
}


def filled(page: str) -> str:
    """Return a page with its tables as the unit tests and the code have them."""
    text = (ROOT / page).read_text()
    for name, table in PAGES[page].items():
        begin, end = f"<!-- table: {name} -->\n", "<!-- end -->"
        if text.count(begin) != 1:
            raise ValueError(f"{page} has {text.count(begin)} places for the table {name}")
        before, _begin, after = text.partition(begin)
        text = f"{before}{begin}\n{table()}\n{end}{after.partition(end)[2]}"
    return text


if __name__ == "__main__":
    for each in PAGES:
        (ROOT / each).write_text(filled(each))
