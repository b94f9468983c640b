# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Let the user of other master hosts ask this one by SSH, and know their host keys."""

from __future__ import annotations

from ..host import ssh_trust
from ..host.module import only, run_module

HOST = {
    "name": {"type": "str", "required": True},
    "addresses": {"type": "list", "elements": "str", "required": True},
    "keys": {"type": "list", "elements": "str", "required": True, "no_log": False},
}


def main(module):
    """Write what is missing or not as it should be."""
    if module.params["state"] == "absent":
        names = module.params["names"] or None
        return ssh_trust.forget(not module.check_mode, names=names, **only(module.params, "user", "service"))
    return ssh_trust.ensure(not module.check_mode, **only(module.params, "user", "keys", "restrict", "hosts"))


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        account=lambda options: options["user"],
        supports_check_mode=True,
        argument_spec={
            "user": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "names": {"type": "list", "elements": "str", "default": []},
            "service": {"type": "str", "default": "hawq-master.service"},
            "keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
            "restrict": {"type": "bool", "default": True},
            "hosts": {"type": "list", "elements": "dict", "default": [], "options": HOST},
        },
    )
