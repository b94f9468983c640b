# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What our sessions set for themselves, and which values of a standby's settings are enough."""

from __future__ import annotations

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import database, recovery_settings


@pytest.mark.parametrize(
    "told",
    [
        "default_transaction_read_only=off",
        r"default_transaction_isolation=read\ committed",
        "idle_session_timeout=0",
        "statement_timeout=30s",
        "role=none",
    ],
)
def test_what_was_set_for_all_sessions_does_not_stop_ours(told: str) -> None:
    assert f"-c {told}" in database._options({**database.OWN_SETTINGS, "statement_timeout": "30s"})


@pytest.mark.parametrize(
    ("name", "has", "wanted", "enough"),
    [
        ("max_connections", "200", "100", True),
        ("max_connections", "50", "100", False),
        ("recovery_min_apply_delay", "600000", "0", False),
        ("recovery_min_apply_delay", "0", "0", True),
        ("recovery_target_time", "2026-11-27", "", False),
        ("recovery_target_timeline", "latest", "latest", True),
    ],
)
def test_what_is_enough(name: str, has: str, wanted: str, enough: bool) -> None:
    assert recovery_settings.suffices(name, has, wanted) is enough
