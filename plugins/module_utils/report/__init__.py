# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What people and programs read of a workflow: text and JSON.

Everything here is pure: documents come in, texts go out.
It may import: values, judge, engines.table.
"""
