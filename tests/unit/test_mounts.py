# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which file system is missing above a data directory."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.host import mounts

FSTAB = r"""
# /etc/fstab
UUID=1c2f / ext4 defaults 0 1
UUID=5d11 /data xfs noauto 0 0
UUID=77aa none swap sw 0 0
//nas/x /srv/two\040words cifs ro 0 0
tmpfs
"""
MOUNTINFO = """
22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
31 22 254:2 / /home rw,relatime shared:7 - xfs /dev/vdb rw
"""
UNIT = "[Mount]\nWhat=/dev/vdc\nWhere=/disks/one/ \nType=xfs\n"


def test_what_a_table_names() -> None:
    assert mounts.points(FSTAB, mounts.IN_FSTAB) == {"/", "/data", "/srv/two words"}
    assert mounts.points(MOUNTINFO, mounts.IN_MOUNTINFO) == {"/", "/home"}
    assert mounts.named(UNIT) == ["/disks/one"]
    assert mounts.named("[Service]\nExecStart=/bin/true\n") == []


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/data/hawq/master", "/data"),
        ("/data", "/data"),
        ("/database/master", None),
        ("/disks/one/hawq", "/disks/one"),
        ("/home/gpadmin/master", None),
        ("/var/lib/master", None),
    ],
)
def test_what_is_missing_above_a_path(path: str, found: str | None, tmp_path: Path, monkeypatch: t.Any) -> None:
    (tmp_path / "fstab").write_text(FSTAB)
    (tmp_path / "mountinfo").write_text(MOUNTINFO)
    (tmp_path / "disks-one.mount").write_text(UNIT)
    monkeypatch.setattr(mounts, "FSTAB", str(tmp_path / "fstab"))
    monkeypatch.setattr(mounts, "MOUNTED", str(tmp_path / "mountinfo"))
    monkeypatch.setattr(mounts, "UNITS", (str(tmp_path / "*.mount"),))
    assert mounts.unmounted(path) == found


def test_a_link_leads_beneath_it(tmp_path: Path, monkeypatch: t.Any) -> None:
    (tmp_path / "fstab").write_text(f"UUID=1 {tmp_path}/disk xfs defaults 0 0\n")
    (tmp_path / "disk").mkdir()
    (tmp_path / "data").symlink_to(tmp_path / "disk")
    monkeypatch.setattr(mounts, "FSTAB", str(tmp_path / "fstab"))
    assert mounts.unmounted(f"{tmp_path}/data/master") == f"{tmp_path}/disk"
