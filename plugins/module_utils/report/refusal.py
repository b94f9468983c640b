# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Refusals as people read them: a block each, with what was found, why it stops the work, and what goes on. Pure."""

from __future__ import annotations

import re
import typing as t

from ..values.command import again
from ..values.text import sentence
from . import layout


def text(
    workflow: str,
    found: t.Sequence[t.Mapping[str, t.Any]],
    tried: dict[str, str] | None = None,
    swapped: bool = False,
) -> str:
    """Return a block for each refusal, numbered when there are several.

    ``tried`` says why ways have failed; ``swapped`` that a switchover has swapped the roles before.
    """
    head = f"{workflow} refused, nothing was changed."
    if swapped:
        head = "The roles are swapped. The old master does not follow yet, because resync_standby is refused."
    if tried:
        failed = ", ".join(f"the {route} failed ({sentence(reason)})" for route, reason in tried.items())
        head = f"{failed[0].upper()}{failed[1:]}, and the next way is refused."
    blocks = [_block(row, f"{number}. " if len(found) > 1 else "") for number, row in enumerate(found, 1)]
    return "\n\n".join([layout.paragraph(head), *blocks, *(f"  {layout.stop(each)}" for each in to_run_again(found))])


def to_run_again(found: t.Iterable[t.Mapping[str, t.Any]]) -> list[str]:
    """Return the command that is meant where a refusal asks for the same to be run again, once for all of them."""
    command = again()
    asked = any(re.search(r"[Rr]un (this )?again|[Rr]un this when", row["command"]) for row in found)
    return [f"To run it again: {command}"] if command and asked else []


def _block(row: t.Mapping[str, t.Any], number: str) -> str:
    lines = [f"  {number}" + "\n".join(layout.wrap(f"{row['found']}:", 2 + len(number), 6))]
    lines += ["    " + "\n".join(layout.wrap(f"{row['why']}.", 4, 6))]
    lines += ["    " + "\n".join(layout.wrap(layout.stop(row["command"]), 4, 6))]
    return "\n".join(lines)
