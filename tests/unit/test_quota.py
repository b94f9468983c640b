# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The room that quotas leave. The kernel's answer is laid out as quotactl(2) says; no kernel here has quotas."""

from __future__ import annotations

import collections
import ctypes
import os
import struct
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.host import mounts, quota

USAGE = collections.namedtuple("USAGE", "total used free")
MB = 1 << 20


class Library:
    """Answers quotactl() by its kind, user or group: hard and soft limit in blocks, bytes in use."""

    def __init__(self, **found: tuple[int, int, int]) -> None:
        self.found, self.asked = found, []

    def quotactl(self, command: t.Any, device: bytes, number: t.Any, answer: t.Any) -> int:
        kind = {0x80000700: "user", 0x80000701: "group"}[command.value & 0xFFFFFFFF]
        self.asked.append((kind, device, number.value))
        if kind not in self.found:
            return -1
        raw = struct.pack("=8QI", *self.found[kind], 0, 0, 0, 0, 0, 0)
        ctypes.memmove(answer, raw, len(raw))
        return 0


CASES: dict[str, tuple[dict[str, tuple[int, int, int]], tuple[int, int, bool]]] = {
    "no quota": ({}, (1000, 500, False)),
    "no limit": ({"user": (0, 0, 7 * MB)}, (1000, 500, False)),
    "of the user": ({"user": (100 * 1024, 0, 70 * MB)}, (100, 30, True)),
    "the soft one is less": ({"user": (100 * 1024, 80 * 1024, 70 * MB)}, (80, 10, True)),
    "it is passed": ({"user": (100 * 1024, 60 * 1024, 70 * MB)}, (60, 0, True)),
    "more than there is": ({"user": (5000 * 1024, 0, 0)}, (1000, 500, False)),
    "of the group": ({"user": (100 * 1024, 0, 0), "group": (90 * 1024, 0, 85 * MB)}, (90, 5, True)),
}


@pytest.mark.parametrize(("found", "expected"), CASES.values(), ids=CASES)
def test_the_room(
    found: dict[str, tuple[int, int, int]],
    expected: tuple[int, int, bool],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    number = os.stat(tmp_path).st_dev
    table = tmp_path / "mountinfo"
    table.write_text(f"36 35 {os.major(number)}:{os.minor(number)} / /data rw - ext4 /dev/sdb1 rw,usrquota\n")
    library = Library(**found)
    monkeypatch.setattr(mounts, "MOUNTED", str(table))
    monkeypatch.setattr(quota.shutil, "disk_usage", lambda _path: USAGE(1000 * MB, 500 * MB, 500 * MB))
    monkeypatch.setattr(quota.ctypes, "CDLL", lambda _name: library)
    for name, value in (("geteuid", 1500), ("getegid", 1501)):
        monkeypatch.setattr(quota.os, name, lambda value=value: value)
    room = quota.room(str(tmp_path))
    assert (room.total // MB, room.free // MB, room.by_quota) == expected
    assert library.asked == [("user", b"/dev/sdb1", 1500), ("group", b"/dev/sdb1", 1501)]


def test_where_no_device_is_nobody_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mounts, "MOUNTED", str(tmp_path / "none"))
    monkeypatch.setattr(quota.ctypes, "CDLL", lambda _name: pytest.fail("asked"))
    assert not quota.room(str(tmp_path)).by_quota
