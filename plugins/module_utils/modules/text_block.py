# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keep a block of lines in a text file of the server's user."""

from __future__ import annotations

from ..host import account, text_block
from ..host.module import only, run_module


def main(module):
    """Do it as the owner; where that user does not exist yet, say what a run would write."""
    options, act = module.params, not module.check_mode
    block = options["block"] if options["state"] == "present" else ""
    if not account.is_there(options["owner"], act):
        diff = {"before": "", "after": options["begin"] + block}
        return {"changed": bool(block), "path": options["path"], "diff": diff}
    return text_block.keep(
        **only(options, "path", "marker"),
        act=act,
        block=block,
        first=options["place"] == "first",
        begin=options["begin"] if options["create"] or options["state"] == "absent" else None,
        mode=int(options["mode"], 8),
    )


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        account=lambda options: options["owner"],
        supports_check_mode=True,
        argument_spec={
            "path": {"type": "str", "required": True},
            "owner": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "marker": {"type": "str", "default": "# {mark} hawq.mirroring"},
            "block": {"type": "str", "default": ""},
            "place": {"type": "str", "choices": ["first", "last"], "default": "last"},
            "create": {"type": "bool", "default": False},
            "begin": {"type": "str", "default": ""},
            "mode": {"type": "str", "default": "0644"},
        },
    )
