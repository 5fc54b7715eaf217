"""Whom inventory would buy from when it promises: the offer that replenishment would choose."""

CHOICE = """
    SELECT k.entity_id, k.product_id, o.supplier_id, s.name AS supplier, o.lead_time_days,
        o.moq, o.multiple, o.unit_price, o.currency, s.calendar_id, o.drop_ships
    FROM asked k
    CROSS JOIN LATERAL (
        SELECT o.* FROM procurement_supplierproduct o
        JOIN procurement_supplier s ON s.id = o.supplier_id AND NOT s.is_blocked
        WHERE o.product_id = k.product_id AND o.entity_id = k.entity_id
        ORDER BY o.rank, o.unit_price, o.lead_time_days, o.supplier_id
        {most}
    ) AS o
    JOIN procurement_supplier s ON s.id = o.supplier_id
    JOIN inventory_product p ON p.id = k.product_id AND NOT p.is_discontinued
"""

OFFERS = CHOICE.format(most="LIMIT 1")
EVERY_OFFER = CHOICE.format(most="")
