# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Names of relations that WAL knows by their files."""

from __future__ import annotations

from ..engines import choice
from ..engines.postgresql import relations
from ..host.module import INSTANCE_OPTION, instance_of, run_module


def main(module):
    """Ask each database for its own."""
    instance = instance_of(module.params["instance"])
    name = choice.of(instance.engine, postgresql=relations.names)
    return {"changed": False, "names": name(instance, module.params["relations"])}


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "relations": {"type": "list", "elements": "str", "required": True},
        },
    )
