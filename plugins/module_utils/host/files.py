# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files that belong to the server's user, written in one step and only when they differ."""

from __future__ import annotations

import os
import pwd
import stat
import tempfile


def read(path: str) -> str | None:
    """Return the text of a file, or None when there is none."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:  # others write what they like
            return file.read()
    except FileNotFoundError:
        return None


def text_of(path: str) -> str | None:
    """Return the text of a file, or None when it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return None


def public(path: str) -> str | None:
    """Return the text of a file that is root's, not a link, and 0644; None of any other."""
    try:
        found = os.lstat(path)
        if (found.st_uid, found.st_gid, found.st_mode) != (0, 0, stat.S_IFREG | 0o644):
            return None
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return None


def block(text: str | None, name: str = "hawq.mirroring") -> list[str] | None:
    """Return the lines that ansible.builtin.blockinfile keeps for us in a text, or None when it has none."""
    lines = (text or "").splitlines()
    begin, end = f"# BEGIN {name}", f"# END {name}"
    if begin not in lines or end not in lines:
        return None
    return lines[lines.index(begin) + 1 : lines.index(end)]


def write(path: str, text: str, user: str, mode: int = 0o600, *, act: bool) -> bool:
    """Make the file hold this text, owned by the user; return whether anything has to change, also without ``act``."""
    try:
        owner = pwd.getpwnam(user)
    except KeyError:
        return True
    same = read(path) == text
    if same:
        now = os.stat(path)
        same = (now.st_uid, now.st_gid, now.st_mode & 0o7777) == (owner.pw_uid, owner.pw_gid, mode)
    if same or not act:
        return not same
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".hawq-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
            os.fchown(file.fileno(), owner.pw_uid, owner.pw_gid)
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise
    return True


def sync_directory(path: str) -> None:
    """Make the names in a directory outlive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
