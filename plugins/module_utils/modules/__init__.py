# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What each module does: its arguments, one call, its result. Its documentation stands in plugins/modules.

It may import: values, host, engines.
"""
