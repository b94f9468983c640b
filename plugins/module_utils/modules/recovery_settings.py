# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Settings that a standby needs to replay on."""

from __future__ import annotations

from ..engines import choice
from ..engines.postgresql import recovery_settings
from ..host.lock import alone
from ..host.module import (
    INSTANCE_OPTION,
    instance_of,
    only,
    run_module,
)
from ..host.run import Runner


def main(module):
    """Act alone, since two operators may run the same playbook."""
    act, instance = not module.check_mode, instance_of(module.params["instance"])
    change = choice.of(instance.engine, postgresql=recovery_settings.change)
    with alone(act):
        return change(instance, Runner(), act, **only(module.params, "settings", "directories", "timeout"))


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "settings": {"type": "dict", "required": True},
            "directories": {"type": "list", "elements": "str", "default": []},
            "timeout": {"type": "int", "default": 300},
        },
    )
