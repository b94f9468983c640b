# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reading and editing configuration files in PostgreSQL's format.

Source: PostgreSQL manual, "Parameter Interaction via the Configuration File".
"""

from __future__ import annotations

import re

from .text import lines_of

_LINE = re.compile(r"^\s*([A-Za-z_][\w.]*)\s*(?:=|\s)\s*('(?:[^'\\]|''|\\.)*'|[^\s#'=]+)\s*(?:#.*)?$")


def parse(text: str) -> dict[str, str]:
    """Return the settings of a configuration text; the last line of a name wins, as in the server."""
    settings = {}
    for line in lines_of(text):
        match = _LINE.match(line)
        if match:
            value = match.group(2)
            if value.startswith("'"):
                value = re.sub(r"''|\\(.)", lambda pair: pair.group(1) or "'", value[1:-1])
            settings[match.group(1).lower()] = value
    return settings


def edit(text: str, wanted: dict[str, str | None]) -> str:
    """Return the text with these settings in it once, at the end; None takes a setting out. Other lines stay."""
    current = parse(text)
    if all(current.get(name) == value for name, value in wanted.items()):
        return text
    kept = []
    for line in lines_of(text):
        match = _LINE.match(line)
        if not (match and match.group(1).lower() in wanted):
            kept.append(line)
    for name, value in wanted.items():
        if value is not None:
            quoted = value.replace("\\", "\\\\").replace("'", "''")
            kept.append(f"{name} = '{quoted}'")
    return "\n".join(kept) + "\n" if kept else ""
