# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The state of several clusters at once: each is judged by itself. Pure: no I/O, no clock."""

from __future__ import annotations

import typing as t

from ...values import findings as kinds


def together(documents: t.Mapping[str, dict[str, t.Any]]) -> dict[str, t.Any]:
    """Return the states of all clusters, what is wrong with any of them, and the code of the worst."""
    problems, notes = (
        [{"cluster": name, **row} for name, document in documents.items() for row in document[part]]
        for part in ("problems", "notes")
    )
    return {
        "clusters": dict(documents),
        "problems": problems,
        "notes": notes,
        "healthy": not problems,
        "exit_code": kinds.exit_code(row["kind"] for row in problems),
    }
