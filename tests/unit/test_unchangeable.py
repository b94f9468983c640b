# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files that nobody may change are found, where the file system and the rights of this process let one be made."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.host import unchangeable


@pytest.mark.parametrize("letter", ["i", "a"])
def test_the_first_that_nobody_may_change(tmp_path: Path, letter: str) -> None:
    plain, kept, gone = (str(tmp_path / name) for name in ("plain", "kept", "gone"))
    Path(plain).touch()
    Path(kept).touch()
    assert unchangeable.first([plain, kept, gone, "/proc/version", "/dev/null"]) is None
    try:
        subprocess.run(["chattr", f"+{letter}", kept], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no such flags here")
    try:
        assert unchangeable.first([gone, plain, kept]) == kept
    finally:
        subprocess.run(["chattr", f"-{letter}", kept], check=True)
