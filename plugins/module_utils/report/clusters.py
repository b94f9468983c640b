# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The state of several clusters as people read it: one line for each, and where to read on. Pure."""

from __future__ import annotations

import typing as t

from ..values.command import playbook
from . import layout


def text(found: dict[str, t.Any]) -> str:
    """Return a line for each cluster; what is wrong with one is told by its own state."""
    lines = ["HAWQ instance status summary of all clusters"]
    lines += [layout.line(f"Cluster {name}", _line(document)) for name, document in found["clusters"].items()]
    sick = [name for name, document in found["clusters"].items() if document["problems"]]
    lines += [layout.item("Next", f"read what is wrong: {playbook('state', cluster=name)}") for name in sick]
    return "\n".join(lines)


def _line(document: dict[str, t.Any]) -> str:
    """Return who is who, and what is wrong by its kinds."""
    master = ", ".join(document["masters"]) or "none"
    standbys = ", ".join(document["standbys"] or [document["standby"] or "none"])
    words = f"{document['mirroring']['summary_state']}, master {master}, standby {standbys}"
    kinds = list(dict.fromkeys(row["kind"] for row in document["problems"]))
    if not kinds:
        return words
    number = "problem" if len(document["problems"]) == 1 else f"{len(document['problems'])} problems"
    return f"{words}; {number} ({', '.join(kinds)}; {document['exit_code']})"
