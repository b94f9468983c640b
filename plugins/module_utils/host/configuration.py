# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The files of a configuration directory, read on one host and written on another, each time as the server's user."""

from __future__ import annotations

import base64
import contextlib
import errno
import functools
import os
import stat
import typing as t

from . import account, files, user_places
from .errors import MirroringError

#: bytes of a file, bytes of all of them, and how many there can be
MOST_OF_ONE, MOST_OF_ALL, MOST_FILES = 1 << 20, 16 << 20, 1000
#: where it is missing, the next run copies all of it again: so it is written last
MAIN = "postgresql.conf"
#: says that the directory was made here, for a copy of the master's configuration
MARK = ".hawq-mirroring"
MARK_TEXT = "hawq.mirroring has made this directory. remove_standby.yml with existing_data=discard deletes it.\n"
#: of what a link leads to, whose own mode is for another place
LINK_MODE = 0o640

File = dict[str, t.Any]


def read(place: str) -> dict[str, t.Any]:
    """Return its directories, and its files with their modes and their bytes (base64); hidden ones are left out.

    What no server reads as its configuration is left out as well and named: a log behind a link, a link that leads
    nowhere, or to a directory that holds other things than files of configuration.
    """
    directories: list[str] = []
    found: list[File] = []
    skipped: dict[str, str] = {}
    left = MOST_OF_ALL
    for parent, below, names in os.walk(place, onerror=functools.partial(_unreadable, place, skipped)):
        below[:] = sorted(name for name in below if not name.startswith("."))
        links = [name for name in below if os.path.islink(os.path.join(parent, name))]
        linked = [os.path.join(name, each) for name in links for each in _only_configuration(parent, name, skipped)]
        for name in below:
            path = os.path.join(parent, name)
            if path not in skipped:
                directories.append(os.path.relpath(path, place))
        below[:] = [name for name in below if name not in links]
        for name in sorted([*(name for name in names if not name.startswith(".")), *linked]):
            path = os.path.join(parent, name)
            try:
                mode, content = _file(path)
            except OSError as error:
                if path == os.path.join(place, MAIN):
                    raise _refuse(path, f"cannot be read by {account.acting()}: {error.strerror}") from error
                skipped[path] = error.strerror or str(error)
                continue
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
    return {"changed": False, "directories": directories, "files": found, "skipped": skipped}


def _refuse(path: str, why: str) -> MirroringError:
    return MirroringError(f"{path} {why}, then run this again")


def _unreadable(place: str, skipped: dict[str, str], error: OSError) -> None:
    """Leave out a directory that cannot be read, but not the whole."""
    path = str(error.filename)
    if path == place:
        raise _refuse(
            path, f"cannot be read by {account.acting()} ({error.strerror}): let that user read it"
        ) from error
    skipped[path] = error.strerror or str(error)


def _only_configuration(parent: str, name: str, skipped: dict[str, str]) -> list[str]:
    """Return the files of a directory that a link leads to, if all of them are of configuration."""
    path = os.path.join(parent, name)
    try:
        names = sorted(each for each in os.listdir(path) if not each.startswith("."))
    except OSError as error:
        skipped[path] = error.strerror or str(error)
        return []
    if len(names) <= MOST_FILES and all(each.endswith(".conf") for each in names):
        return names
    skipped[path] = f"it leads to {os.path.realpath(path)}, which holds other files"
    return []


def _file(path: str) -> tuple[int, bytes]:
    """Return mode and bytes of a file, or of what a link leads to; OSError of what no file of configuration is."""
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is no file", path)
    with files.opened(path) as file:
        content = file.read(MOST_OF_ONE + 1)
    if len(content) > MOST_OF_ONE:
        raise OSError(errno.EFBIG, f"it is larger than {MOST_OF_ONE >> 20} MB", path)
    return (LINK_MODE if os.path.islink(path) else stat.S_IMODE(found.st_mode) & 0o777), content


def write(place: str, act: bool, *, directories: list[str], found: list[File]) -> dict[str, t.Any]:
    """Make the directories and write the files; return those that differed, also when the work ends half done."""
    written: list[str] = []
    changed, mark = False, None if os.path.lexists(place) else os.path.join(place, MARK)
    try:
        for each in [place, *(_inside(place, name) for name in sorted(directories))]:
            changed = _directory(each, act) or changed
        if mark and files.write(mark, MARK_TEXT, 0o644, act=act):
            written.append(mark)
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


def discard(place: str, act: bool) -> dict[str, t.Any]:
    """Delete the directory if it was made here, after the data that it is the configuration of."""
    ours = os.path.isfile(os.path.join(place, MARK)) and not os.path.islink(place)
    if ours and act:
        user_places.remove(place)
    return {"changed": ours, "diff": _diff([place] if ours else [], "present", "absent")}


def _diff(paths: list[str], before: str = "differs", after: str = "as on the master") -> dict[str, str]:
    return {
        name: "".join(f"{path}: {word}\n" for path in paths) for name, word in (("before", before), ("after", after))
    }
