# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The files of a configuration directory, read on one host and written on another, each time as the server's user."""

from __future__ import annotations

import base64
import contextlib
import os
import stat
import typing as t

from . import account, files, user_places
from .errors import MirroringError

#: bytes of a file, bytes of all of them, and how many there can be
MOST_OF_ONE, MOST_OF_ALL, MOST_FILES = 1 << 20, 16 << 20, 1000
#: where it is missing, the next run copies all of it again: so it is written last
MAIN = "postgresql.conf"
#: of what a link leads to, whose own mode is for another place
LINK_MODE = 0o640

File = dict[str, t.Any]


def read(place: str) -> dict[str, t.Any]:
    """Return its directories, and its files with their modes and their bytes (base64); hidden ones are left out."""
    directories: list[str] = []
    found: list[File] = []
    left = MOST_OF_ALL
    for parent, below, names in os.walk(place, onerror=_unreadable):
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in below:
            directories.append(os.path.relpath(os.path.join(parent, name), place))
            if os.path.islink(os.path.join(parent, name)):
                raise _refuse(os.path.join(parent, name), "leads to a directory: put the directory itself there")
        for name in sorted(name for name in names if not name.startswith(".")):
            path = os.path.join(parent, name)
            mode, content = _file(path)
            left -= len(content)
            if left < 0 or len(found) >= MOST_FILES:
                raise _refuse(
                    place,
                    f"holds more than {MOST_OF_ALL >> 20} MB or {MOST_FILES} files: take out what no server reads",
                )
            found.append(
                {
                    "path": os.path.relpath(path, place),
                    "mode": f"{mode:04o}",
                    "content": base64.b64encode(content).decode(),
                }
            )
    return {"changed": False, "directories": directories, "files": found}


def _refuse(path: str, why: str) -> MirroringError:
    return MirroringError(f"{path} {why}, then run this again")


def _unreadable(error: OSError) -> t.NoReturn:
    user = account.acting()
    raise _refuse(str(error.filename), f"cannot be read by {user} ({error.strerror}): let that user read it") from error


def _file(path: str) -> tuple[int, bytes]:
    """Return mode and bytes of a file, or of what a link leads to."""
    link = os.path.islink(path)
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):
            raise _refuse(path, "is no file: move it out of the configuration")
        with files.opened(path) as file:
            content = file.read(MOST_OF_ONE + 1)
    except OSError as error:
        if not link:
            _unreadable(error)
        raise _refuse(
            path,
            f"leads to {os.path.realpath(path)}, which {account.acting()} cannot read ({error.strerror}): remove"
            " the link, or put a file of that user's there",
        ) from error
    if len(content) > MOST_OF_ONE:
        raise _refuse(path, f"is larger than {MOST_OF_ONE >> 20} MB, which no configuration is: move it elsewhere")
    return (LINK_MODE if link else stat.S_IMODE(found.st_mode) & 0o777), content


def write(place: str, act: bool, *, directories: list[str], found: list[File]) -> dict[str, t.Any]:
    """Make the directories and write the files; return those that differed, also when the work ends half done."""
    written: list[str] = []
    changed = False
    try:
        for each in [place, *(_inside(place, name) for name in sorted(directories))]:
            changed = _directory(each, act) or changed
        for file in sorted(found, key=lambda each: (each["path"] == MAIN, each["path"])):
            path, content = _inside(place, file["path"]), base64.b64decode(file["content"])
            if files.write(path, content.decode(errors="surrogateescape"), int(file["mode"], 8) & 0o777, act=act):
                written.append(path)
    except OSError as error:
        user = account.acting()
        raise MirroringError(
            f"{error.filename or place} cannot be written by {user} ({error.strerror}): if {place} is no symbolic link"
            f" and meant for that user, give it to that user (chown {user} {place}), then run this again",
            written=written,
        ) from error
    return {"changed": changed or bool(written), "written": written, "diff": _diff(written)}


def _inside(place: str, name: str) -> str:
    if name.startswith("/") or ".." in name.split("/"):
        raise MirroringError(f"{name} is not the name of a file below {place}")
    return os.path.join(place, name)


def _directory(path: str, act: bool) -> bool:
    with contextlib.suppress(FileNotFoundError):
        now = os.stat(path)
        if (now.st_uid, stat.S_IFMT(now.st_mode), stat.S_IMODE(now.st_mode)) == (os.geteuid(), stat.S_IFDIR, 0o755):
            return False
    if act:
        user_places.make(path, 0o755)
    return True


def remove(place: str, act: bool, *, paths: list[str]) -> dict[str, t.Any]:
    """Remove the files that were written."""
    gone = []
    for path in paths:
        if not path.startswith(f"{place.rstrip('/')}/") or ".." in path.split("/"):
            raise MirroringError(f"{path} is not below {place}")
        if os.path.lexists(path):
            gone.append(path)
            if act:
                os.unlink(path)
    return {"changed": bool(gone), "diff": _diff(gone, "present", "absent")}


def _diff(paths: list[str], before: str = "differs", after: str = "as on the master") -> dict[str, str]:
    return {
        name: "".join(f"{path}: {word}\n" for path in paths) for name, word in (("before", before), ("after", after))
    }
