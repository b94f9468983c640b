# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How far a snapshot or a comparison is, as the master sees it."""

from __future__ import annotations

from ..engines import choice
from ..engines.postgresql import progress
from ..host.module import INSTANCE_OPTION, instance_of, run_module


def main(module):
    """Ask once."""
    instance = instance_of(module.params["instance"])
    ask = choice.of(instance.engine, postgresql=progress.progress)
    return {"changed": False, "progress": ask(instance)}


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={"instance": INSTANCE_OPTION, "timeout": {"type": "int", "default": 86400}},
    )
