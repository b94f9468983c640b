# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The files that a server reads before all others when it starts: configuration, control file, version.

Source: PostgreSQL manual, "Setting Parameters" (files that are included).
"""

from __future__ import annotations

import base64
import os
import re
import typing as t

from ...host import configuration, files
from ...host.module import Instance

File = dict[str, str]
#: what a server looks at in its data directory beside its configuration
OF_DATA = ("PG_VERSION", "global/pg_control", "postgresql.auto.conf")
#: bytes of a file and number of files
MOST_OF_ONE, MOST_FILES = 1 << 20, 200
_INCLUDE = re.compile(r"^\s*(include|include_if_exists|include_dir)\s*=?\s*'([^'\n]+)'", re.M | re.I)


class Include(t.NamedTuple):
    """A line by which one file brings in others."""

    word: str
    path: str

    @property
    def wanted(self) -> str:
        """What a place must be good for."""
        return "enter" if self.word == "include_dir" else "read"


def includes(text: str, place: str) -> list[Include]:
    """Return what a text of configuration includes; a path counts from the directory of its file."""
    return [Include(word.lower(), os.path.join(place, path)) for word, path in _INCLUDE.findall(text)]


def outside(instance: Instance) -> bool:
    """Whether the configuration lies outside of the data directory."""
    return os.path.realpath(instance.config_directory) != os.path.realpath(instance.data_directory)


def read(instance: Instance) -> dict[str, t.Any]:
    """Return the files below the data directory and the configuration directory, and what they include elsewhere."""
    data = [each for each in (_file(instance.data_directory, name) for name in OF_DATA) if each]
    if outside(instance):
        rows = configuration.read(instance.config_directory)["files"]
        found = [{"path": str(row["path"]), "mode": str(row["mode"]), "content": str(row["content"])} for row in rows]
    else:
        found = _inside(instance.data_directory)
    elsewhere = sorted({each for row in found for each in _elsewhere(instance, row)})
    source = {
        "data_files": data,
        "configuration_files": found,
        "included": [{"setting": each.word, "path": each.path, "wanted": each.wanted} for each in elsewhere],
        "data_directory": instance.data_directory,
        "config_directory": instance.config_directory,
    }
    return {"changed": False, "source": source}


def texts(data_directory: str, config_directory: str) -> list[str]:
    """Return the configuration as a server reads it: a later text outranks those before it."""
    return told(data_directory, config_directory)[0]


def told(data_directory: str, config_directory: str) -> tuple[list[str], list[Include]]:
    """Return these texts, and what they include. The file that the server writes itself comes last."""
    found: list[str] = []
    named: list[Include] = []
    seen = set[str]()

    def read(path: str) -> None:
        text = None if path in seen or len(seen) >= MOST_FILES else files.text_of(path)
        seen.add(path)
        begin = 0
        for match in _INCLUDE.finditer(text or ""):  # a setting after that line outranks what it brings in
            each = Include(match[1].lower(), os.path.join(os.path.dirname(path), match[2]))
            named.append(each)
            found.append((text or "")[begin : match.start()])
            begin = match.end()
            for inner in _of_directory(each.path) if each.word == "include_dir" else [each.path]:
                read(inner)
        found.append((text or "")[begin:])

    read(os.path.join(config_directory, "postgresql.conf"))
    found.append(files.text_of(os.path.join(data_directory, "postgresql.auto.conf")) or "")
    return [each for each in found if each], named


def _of_directory(place: str) -> list[str]:
    names = sorted(os.listdir(place)) if os.path.isdir(place) else []
    return [os.path.join(place, name) for name in names if name.endswith(".conf") and name[0] != "."]


def text_of(row: File) -> str:
    """Return the text of a file."""
    return base64.b64decode(row["content"]).decode(errors="surrogateescape")


def _file(place: str, name: str) -> File | None:
    path = os.path.join(place, name)
    try:
        mode = os.stat(path).st_mode & 0o777
        with files.opened(path) as file:
            content = file.read(MOST_OF_ONE)
    except OSError:
        return None
    return {"path": name, "mode": f"{mode:04o}", "content": base64.b64encode(content).decode()}


def _inside(place: str) -> list[File]:
    """Return the main file and what it includes from the same directory."""
    found: dict[str, File] = {}
    left = ["postgresql.conf"]
    while left and len(found) < MOST_FILES:
        name = left.pop()
        row = None if name in found else _file(place, name)
        if row is None:
            continue
        found[name] = row
        for each in includes(text_of(row), os.path.dirname(os.path.join(place, name))):
            here = _of_directory(each.path) if each.word == "include_dir" else [each.path]
            left += [os.path.relpath(path, place) for path in here if is_below(path, place)]
    return list(found.values())


def is_below(path: str, place: str) -> bool:
    """Whether a path lies below a directory."""
    return os.path.normpath(path).startswith(os.path.normpath(place) + "/")


def _elsewhere(instance: Instance, row: File) -> list[Include]:
    place = os.path.dirname(os.path.join(instance.config_directory, row["path"]))
    return [
        each
        for each in includes(text_of(row), place)
        if os.path.exists(each.path)
        and not is_below(each.path, instance.config_directory)
        and not is_below(each.path, instance.data_directory)
    ]
