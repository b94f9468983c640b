# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A base backup into a directory that already holds most of it: what is equal stays, what differs is transferred.

The master hashes its files piece by piece, the host hashes its own, and only blocks that differ travel. Torn pages are
mended by replay, as in every base backup. The manifest that comes of it is what pg_verifybackup checks.

It may import: values, host, engines.postgresql.
"""
