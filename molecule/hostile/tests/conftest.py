# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A synchronised pair with a segment that has registered. Each test leaves it so."""

from __future__ import annotations

from pathlib import Path

import harness
import pytest

harness.INVENTORY = Path(__file__).resolve().parents[1] / "inventory"


@pytest.fixture(scope="session")
def cluster() -> harness.Pair:
    """Make them."""
    harness.play("init_master", "-e", "master_host=mdw")
    harness.play("init_standby")
    harness.on("sdw1", "id gpadmin || useradd --create-home gpadmin")
    harness.on("sdw1", "systemd-run --quiet --unit=own python3 -m http.server 40000", check=False)
    harness.play("init_segments")
    return harness.Pair("mdw", "smdw")
