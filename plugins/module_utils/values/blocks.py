# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Blocks of lines between two markers in a text that others write, too. Pure."""

from __future__ import annotations

import re


def lines(marker: str, block: str) -> list[str]:
    """Return the block with its markers, or nothing of an empty one."""
    found = [marker.replace("{mark}", "BEGIN"), *block.rstrip("\n").split("\n"), marker.replace("{mark}", "END")]
    return [f"{line}\n" for line in found] if block.strip() else []


def edited(text: str, marker: str, block: str, first: bool) -> tuple[str, str]:
    """Return the text with the block where it was, or else first or last in it; and the blocks that were there."""
    kept: list[str] = []
    was: list[str] = []
    place = opened = None
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        kept.append(line)
        bare = line.rstrip("\r\n")
        if bare == marker.replace("{mark}", "BEGIN"):
            opened = len(kept) - 1
        elif bare == marker.replace("{mark}", "END") and opened is not None:
            was += kept[opened:]
            place = opened if place is None else place
            del kept[opened:]
            opened = None
    wanted = lines(marker, block)
    if place is None:
        place = 0 if first else len(kept)
    if wanted and place and not kept[place - 1].endswith("\n"):
        kept[place - 1] += "\n"
    return "".join([*kept[:place], *wanted, *kept[place:]]), "".join(was)
