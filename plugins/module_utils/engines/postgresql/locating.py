# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a host has the engine's programs, or would get them, when the inventory does not name the place.

Nothing here is slow on a host that has them: files are looked at, and apt is asked only where there are no programs.
"""

from __future__ import annotations

import glob
import os
import re
import shutil
import typing as t

from ...host import files
from ...host.module import Instance
from ...host.run import Runner
from ..table import POSTGRESQL
from . import database, packages, packaging

SOURCES, LISTS = ("/etc/apt/sources.list", "/etc/apt/sources.list.d/*"), "/var/lib/apt/lists/*"


class Located(t.NamedTuple):
    """What is known of the programs before they are looked at."""

    directory: str
    #: whether the inventory names version or place
    named: bool
    #: the major version that the host has or would get; None where nobody knows
    wanted: int | None
    #: by major version, where each is or would be
    places: dict[str, str]
    installed: list[int]
    #: the major versions that can be installed; None where that is not known
    offered: list[int] | None


def locate(instance: Instance, run: Runner, version: int) -> Located:
    """Find the place: the inventory's, else the running server's, that of the data's version, the newest, a new one."""
    of, pgdg = packages.here()
    places, installed = {}, []
    for major in POSTGRESQL.majors:
        there = [place for place in packaging.directories(major) if has_server(place)]
        places[str(major)] = there[0] if there else packaging.directory(of, major, pgdg)
        installed += [major] if there else []
    told = version or of_data(instance.data_directory)
    found = instance.bin_directory or ("" if version else of_process(instance))
    if not found and (told or installed):
        found = place_of(told or installed[-1], places, of, pgdg)
    own, offered = None, None
    if not (found and has_server(found)):
        own, offered = on_offer(run)
    wanted = told or (installed[-1] if installed and not instance.bin_directory else own or packaging.brings(of))
    if not found:
        found = place_of(wanted or POSTGRESQL.majors[0], places, of, pgdg)
    named = bool(instance.bin_directory or version)
    return Located(found, named, wanted or None, places, installed, offered)


def place_of(major: int, places: dict[str, str], of: packaging.Distribution, pgdg: bool) -> str:
    """Return the place of a major version, also of one that this collection does not know."""
    return places.get(str(major)) or packaging.directory(of, major, pgdg)


def has_server(directory: str) -> bool:
    """Whether the server's program is in a directory."""
    return os.access(os.path.join(directory, POSTGRESQL.words.server_program), os.X_OK)


def of_data(path: str) -> int:
    """Return the major version that wrote a data directory, 0 where it has none."""
    words = re.match(r"\d+", files.text_of(os.path.join(path, "PG_VERSION")) or "")
    return int(words[0]) if words else 0


def of_process(instance: Instance) -> str:
    """Return the directory of the running server's program; empty where there is none."""
    pid = database.postmaster(instance).get("pid")
    try:
        if os.path.realpath(f"/proc/{pid}/cwd") == os.path.realpath(instance.data_directory):
            return os.path.dirname(os.readlink(f"/proc/{pid}/exe"))
    except OSError:
        pass
    return ""


def on_offer(run: Runner) -> tuple[int | None, list[int] | None]:
    """Return the distribution's own version and all on offer, as far as apt knows by now; other managers are slow."""
    if not shutil.which("apt-cache"):
        return None, None
    own, majors = packaging.offered(run(packaging.asked(POSTGRESQL.majors), timeout=10)[1])
    newer = _newest(*SOURCES) > _newest(LISTS)  # a source that apt has not read yet
    return own, majors if majors and not newer else None


def _newest(*patterns: str) -> float:
    paths = [path for pattern in patterns for path in glob.glob(pattern)]
    return max((os.stat(path).st_mtime for path in paths if os.path.exists(path)), default=0.0)
