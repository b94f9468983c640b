# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The settings that a standby gets beside its master's."""

from __future__ import annotations

from ansible_collections.hawq.mirroring.plugins.module_utils.judge import settings
from observations import master, set_to


def test_a_recovery_target_does_not_reach_the_standby() -> None:
    source = master("mdw", set_to(recovery_target="immediate"))
    assert settings.standby_overrides(source, 5432, [], "smdw") == {"recovery_target": ""}
