# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wrong with a file or directory that a configuration names, as the server's user finds it."""

from __future__ import annotations

import os
import typing as t

import attacks
import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.host import named_place
from cases import rows

place = pytest.fixture(attacks.place)

#: name below the place, who owns it, its mode (a directory's begins with 1), what it is wanted for, what is wrong
FOUND: dict[str, tuple[str, str, int, str, str | None]] = {
    "a file": ("file", "user", 0o644, "read", None),
    "a file of root's that all may read": ("file", "root", 0o644, "read", None),
    "a file of root's that nobody else may read": ("file", "root", 0o600, "read", "closed"),
    "no file": ("", "user", 0, "read", "missing"),
    "a directory in a file's place": ("dir", "user", 0o1755, "read", "no file"),
    "a key": ("key", "user", 0o600, "private", None),
    "a key that is read only": ("key", "user", 0o400, "private", None),
    "a key that a group may read": ("key", "user", 0o640, "private", "too open"),
    "a key of root's that all may read": ("key", "root", 0o644, "private", "too open"),
    "a key of root's that nobody else may read": ("key", "root", 0o600, "private", "closed"),
    "a program": ("program", "root", 0o755, "run", None),
    "a program that may not be run": ("program", "user", 0o644, "run", "closed"),
    "a directory to write into": ("dir", "user", 0o1700, "write", None),
    "a directory of root's": ("dir", "root", 0o1755, "write", "closed"),
    "a directory to read": ("dir", "root", 0o1755, "enter", None),
    "a file in a directory's place": ("file", "user", 0o644, "write", "no directory"),
    "a directory that can be made": ("", "user", 0, "make", None),
    "a directory whose place is missing": ("missing/", "user", 0, "make", "missing"),
    "a directory that is there": ("dir", "user", 0o1700, "make", None),
}


@pytest.mark.parametrize(("name", "owner", "mode", "wanted", "expected"), rows(FOUND))
def test_what_is_wrong(
    place: attacks.Place, name: str, owner: str, mode: int, wanted: str, expected: str | None
) -> None:
    path = place.home / (name or "nothing") / ("inner" if name.endswith("/") else "")
    if mode & 0o1000:
        path.mkdir()
    elif mode:
        path.write_text("x")
    if mode:
        path.chmod(mode & 0o777)
        if owner == "user":
            place.give(path)
    assert place.run(lambda: named_place.trouble(str(path), wanted)) == expected


def test_what_lies_below_a_closed_directory(place: attacks.Place) -> None:
    (place.root / "closed").mkdir(mode=0o700)
    for wanted in t.get_args(named_place.Wanted):
        assert place.run(lambda wanted=wanted: named_place.trouble(f"{place.root}/closed/file", wanted)) == "closed"


def test_a_link_in_a_circle(place: attacks.Place) -> None:
    os.symlink("circle", place.home / "circle")
    assert place.run(lambda: named_place.trouble(f"{place.home}/circle", "read")) == "closed"
