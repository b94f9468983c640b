# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Install one of the collection's own programs on a host."""

from __future__ import annotations

from ..host import installation, programs
from ..host.module import (
    INSTANCE_OPTION,
    instance_of,
    only,
    run_module,
)
from ..host.run import Runner


def main(module):
    """Program and settings first, then the unit."""
    service = instance_of(module.params["instance"]).service
    options = only(module.params, "name", "program", "settings", "unit", "started", "library")
    return installation.install(Runner(), not module.check_mode, service=service, **options)


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        account=None,
        supports_check_mode=True,
        required_if=[("name", name, ["unit"]) for name in (*programs.NAMES, *programs.GUARDS) if name != programs.PEER],
        argument_spec={
            "instance": INSTANCE_OPTION,
            "name": {"type": "str", "choices": [*programs.NAMES, *programs.GUARDS], "required": True},
            "program": {"type": "str", "required": True},
            "settings": {"type": "dict", "required": True},
            "unit": {"type": "str"},
            "library": {"type": "dict", "default": {}},
            "started": {"type": "bool", "default": False},
        },
    )
