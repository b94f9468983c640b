# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a file system belongs that is not mounted: what is written there would lie beneath it, on another disk.

Sources: fstab(5), systemd.mount(5), proc(5) on mountinfo. A unit of systemd counts as a line of fstab does.
"""

from __future__ import annotations

import glob
import os
import re

from . import files

FSTAB, MOUNTED = "/etc/fstab", "/proc/self/mountinfo"
#: where an operator's units are; those of /etc/fstab are made from that
UNITS = ("/etc/systemd/system/*.mount", "/run/systemd/system/*.mount")
#: fields of a line of fstab and of mountinfo that name the mount point
IN_FSTAB, IN_MOUNTINFO = 1, 4


def unmounted(path: str) -> str | None:
    """Return the first mount point at or above a path at which nothing is mounted; None when all is as it should be."""
    units = [files.text_of(each) or "" for pattern in UNITS for each in sorted(glob.glob(pattern))]
    wanted = {*points(files.text_of(FSTAB) or "", IN_FSTAB), *(where for text in units for where in named(text))}
    there = points(files.text_of(MOUNTED) or "", IN_MOUNTINFO)
    return first(path, wanted - there) or first(os.path.realpath(path), wanted - there)


def below(path: str) -> list[str]:
    """Return where file systems are mounted inside a directory, links followed."""
    top = os.path.realpath(path).rstrip("/") + "/"
    return sorted(point for point in points(files.text_of(MOUNTED) or "", IN_MOUNTINFO) if point.startswith(top))


def read_only(*paths: str) -> str | None:
    """Return the first of these places whose file system lets nothing be written; a failing disk ends like that."""
    return next((path for path in paths if os.statvfs(path).f_flag & os.ST_RDONLY), None)


def points(text: str, field: int) -> set[str]:
    """Return the mount points that a table names. A blank in a name is written as an octal number."""
    rows = [line.split() for line in text.splitlines() if not line.lstrip().startswith("#")]
    found = [row[field] for row in rows if len(row) > field]
    plain = [re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), each) for each in found]
    return {os.path.normpath(each) for each in plain if each.startswith("/")}


def named(unit: str) -> list[str]:
    """Return the mount point of a unit of systemd."""
    return [os.path.normpath(each) for each in re.findall(r"^Where=(/.*?)\s*$", unit, re.M)]


def first(path: str, among: set[str]) -> str | None:
    """Return the uppermost of these that a path is, or lies below."""
    above = [each for each in among if (os.path.normpath(path) + "/").startswith(each.rstrip("/") + "/")]
    return min(above, key=len, default=None)
