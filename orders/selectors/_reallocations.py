"""Stock shared out anew: what stands to be decided, who gains and who loses."""

from collections.abc import Collection, Mapping

from erp.kernel.sql import rows

FINGERPRINTS = """
    SELECT r.id, md5(coalesce(string_agg(
        c.line_id || ':' || c.before || ':' || c.after, ',' ORDER BY c.line_id
    ), ''))
    FROM orders_reallocation r
    LEFT JOIN orders_reallocationchange c ON c.reallocation_id = r.id
    WHERE r.id = ANY(%s)
    GROUP BY r.id
"""


def reallocation_fingerprints(ids: Collection[int]) -> Mapping[int, str]:
    """Return by id what each is, in short: who gains and loses how much. One query."""
    return dict(rows(FINGERPRINTS, [list(ids)]))
