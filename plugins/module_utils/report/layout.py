# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How texts are laid out for a terminal of 80 columns. Pure.

A command stays on one line, so that it can be pasted: one that a sentence names goes to a line of its own when it does
not fit, and what stands after a line break is a line to type as it is.
"""

from __future__ import annotations

import re
import typing as t

from ..values.text import shown

COLUMNS = 80
#: of a report's labels
LABEL = 34
#: of what goes on below
INDENT = 6

#: an argument of a command, quoted or not, without the sign that ends the sentence
#: (one sign at a time, or a long word that no option follows could be read in too many ways to end)
_VALUE = r"(?:'[^']*'|\"(?:[^\"\\]|\\.)*\"|[^\s;,()'\"])+(?<![.:])"
_OPTION = (
    rf"(?:-[ieucma]|--(?:private-key|vault-id|[a-z-]+-file|become-method|ssh-[a-z]+-args)) {_VALUE}"
    r"|--check|--ask-[a-z-]+|-vvv|-b"
)
#: the commands that are long
_COMMANDS = (
    rf"ansible-playbook(?: (?:{_OPTION}|hawq\.mirroring\.\w+|[\w./-]+\.ya?ml|'[^']*\.ya?ml'))+",
    rf"ansible {_VALUE}(?: (?:{_OPTION}))+",
    rf"runuser -u {_VALUE} -- {_VALUE}(?: -[hpdc] {_VALUE})+",
)
#: a word, which a whole command is
WORD = re.compile(rf"(?:{'|'.join(_COMMANDS)}|\S)+")
#: how a word begins that is a command
_BEGINS = ("ansible-playbook ", "ansible ", "runuser ")


def wrap(text: str, first: int, indent: int, columns: int = COLUMNS) -> list[str]:
    """Return the lines of a text whose first one begins at a column and whose others are indented."""
    lines: list[str] = []
    # names are escaped where they come from: this is for what has slipped through
    for number, part in enumerate(shown(text).split("\n")):
        if number:
            lines.append(" " * indent + part.strip())
            continue
        line = ""
        for word in WORD.findall(part):
            room = columns - (first if not lines else indent)
            if len(word) > room and word.startswith(_BEGINS):
                word = word.rstrip(".,;:")  # noqa: PLW2901 (it has a line of its own, which is pasted as a whole)
            if (line or not lines) and len(line) + 1 + len(word) > room:
                lines.append(line if not lines else " " * indent + line)
                line = ""
            line = f"{line} {word}" if line else word
        lines.append(line if not lines else " " * indent + line)
    return lines


def _behind(head: str, lines: list[str]) -> str:
    return (head + lines[0]).rstrip() + "".join(f"\n{each}" for each in lines[1:])


def line(label: str, value: t.Any) -> str:
    """Return a label and its value, which goes on below where it is long."""
    head = f"  {label:<{LABEL}} = "
    return _behind(head, wrap(str(value), len(head), INDENT))


def item(label: str, text: str, columns: int = COLUMNS) -> str:
    """Return a sentence behind a word that says what it is: ``Next``, ``Note``, ``Problem``."""
    head = f"  {label}: "
    return _behind(head, wrap(text, len(head), INDENT, columns))


def paragraph(text: str) -> str:
    """Return a text from the margin on."""
    return "\n".join(wrap(text, 0, 2))


def stop(text: str) -> str:
    """Return a sentence with its full stop, which nothing that is to be typed gets."""
    words = WORD.findall(text)
    return text if words and words[-1].startswith(_BEGINS) else f"{text}."
