# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write docs/types.md: the fields of observations, refusals, plans and reports, from the types themselves."""

from __future__ import annotations

import sys
import typing as t
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "collections"))

from ansible_collections.hawq.mirroring.plugins.module_utils.judge import (  # noqa: E402
    options,
    plan,
    readiness,
    refusal,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.state import group  # noqa: E402
from ansible_collections.hawq.mirroring.plugins.module_utils.report import document  # noqa: E402
from ansible_collections.hawq.mirroring.plugins.module_utils.values import observation, shape  # noqa: E402

#: heading, what it is, and its type: the types inside of it follow by themselves
PARTS: list[tuple[str, str, t.Any]] = [
    (
        "Observation",
        "What `instance_info` returns of a host: the seam between engines and judgement.",
        observation.Observation,
    ),
    ("Unreachable", "What stands for a host that could not be looked at.", observation.Unreachable),
    ("Options", "What judgement is told beside the observations.", options.Options),
    ("Refusal", "Why a workflow does not go on.", refusal.Refusal),
    *((f"Plan of {workflow}", "What it is told to do.", kind) for workflow, (kind, _steps) in plan.PLANS.items()),
    ("Problem or note", "What the state finds: `problems` and `notes` of the JSON.", group.Finding),
    ("Readiness", "What would come of a fault: `readiness` of the JSON of the state.", readiness.Answer),
    ("Report", "What a run has come to, as one JSON document.", document.Report),
]
#: choices that a cell of a table has no room for
MANY = 6
PREAMBLE = """# Types

Written by `tests/types_page.py` from the types in the code; a unit test holds it to them. LSNs are texts of the engine,
sizes are bytes, points in time are seconds since the epoch. What cannot be read is null or empty.
"""


def fields_of(kind: t.Any) -> list[shape.Field]:
    """Return the fields of a typed dict or a named tuple."""
    if shape.is_record(kind):
        return shape.fields(kind)
    hints = t.get_type_hints(kind, include_extras=True)
    return [
        shape.Field(name, t.get_args(hint)[0], hint.__metadata__[0], name not in kind._field_defaults)
        for name, hint in hints.items()
    ]


def inside(kind: t.Any) -> list[t.Any]:
    """Return the records that a type is made of, itself first."""
    found = [kind] if shape.is_record(kind) or hasattr(kind, "_fields") else []
    parts = [each.type for each in fields_of(kind)] if found else t.get_args(kind)
    for part in parts:
        found += [each for each in inside(part) if each not in found]
    return found


def all_types() -> list[t.Any]:
    """Return every record, in the page's order."""
    return list(dict.fromkeys(each for _heading, _words, kind in PARTS for each in inside(kind)))


def table(kind: t.Any) -> str:
    """Return the table of one type's fields."""
    below: list[str] = []
    rows = ["| field | type | meaning |", "|---|---|---|"]
    for each in fields_of(kind):
        words = each.meaning if each.required else f"{each.meaning} (may be absent)"
        choices = t.get_args(each.type) if t.get_origin(each.type) is t.Literal else ()
        many = len(choices) > MANY
        rows.append(f"| `{each.name}` | {'one of those below' if many else shape.name_of(each.type)} | {words} |")
        if many:
            below += ["", f"Of `{each.name}`: {', '.join(f'`{choice}`' for choice in choices)}."]
    return "\n".join([*rows, *below])


def page() -> str:
    """Return the whole page."""
    parts, done = [PREAMBLE], set()
    for heading, words, kind in PARTS:
        parts.append(f"## {heading}\n\n{words}\n\n{table(kind)}\n")
        done.add(kind)
        for each in inside(kind):
            if each not in done:
                parts.append(f"### {each.__name__}\n\n{(each.__doc__ or '').strip()}\n\n{table(each)}\n")
                done.add(each)
    return "\n".join(parts)


if __name__ == "__main__":
    (ROOT / "docs").mkdir(exist_ok=True)
    (ROOT / "docs/types.md").write_text(page(), encoding="utf-8")
