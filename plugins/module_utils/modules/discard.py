# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Delete the data of a removed standby."""

from __future__ import annotations

from ..engines import choice
from ..engines.postgresql import discarding
from ..host import network
from ..host.lock import alone
from ..host.module import INSTANCE_OPTION, instance_of, run_module
from ..host.run import Runner


def main(module):
    """Act alone on this host."""
    instance, act = instance_of(module.params["instance"]), not module.check_mode
    discard = choice.of(instance.engine, postgresql=discarding.discard)
    with alone(act):
        network.must_answer(**module.params["master"])
        return discard(instance, Runner(), act, system_identifier=module.params["system_identifier"])


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        seconds=86400,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "system_identifier": {"type": "str", "required": True},
            "master": {
                "type": "dict",
                "required": True,
                "options": {
                    "address": {"type": "str", "required": True},
                    "port": {"type": "int", "required": True},
                },
            },
        },
    )
