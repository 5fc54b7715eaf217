-- The floor: the rows that a release of clean orders writes, by hand and without asking anything.
CREATE SCHEMA IF NOT EXISTS bench;

CREATE FUNCTION bench.release_batch(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    versions jsonb;
BEGIN
    PERFORM 1 FROM orders_creditaccount WHERE id IN
        (SELECT account_id FROM orders_order WHERE id = ANY(ids)) ORDER BY id FOR NO KEY UPDATE;
    PERFORM 1 FROM orders_order WHERE id = ANY(ids) ORDER BY id FOR NO KEY UPDATE;
    UPDATE orders_creditaccount a SET committed = committed + s.total
    FROM (SELECT account_id, sum(total) AS total FROM orders_order WHERE id = ANY(ids)
          GROUP BY account_id) s
    WHERE a.id = s.account_id
      AND a.receivable + a.unbilled + a.committed - a.unapplied + s.total <= a.credit_limit;
    UPDATE orders_order SET state = 'released', submitted_at = now(), released_at = now(),
           class_code = 'C', priority = 50 WHERE id = ANY(ids) AND state = 'draft';
    INSERT INTO governance_auditentry
        (at, entity_id, actor_kind, action, subject_kind, subject_id, thread, before, after, reason,
         request_id, policy_version)
    SELECT now(), o.entity_id, 'system', 'orders.submit', 'orders.order', o.id,
           'orders.order:' || o.id, '{"state": "draft"}',
           '{"class": "C", "holds": [], "priority": 50, "state": "released"}', '', '',
           'orders.release.credit v1'
    FROM orders_order o WHERE o.id = ANY(ids);
    INSERT INTO outbox_message (name, payload, published_at, key, entity_id)
    SELECT 'orders.order_released', jsonb_build_object(
               'order_id', o.id, 'entity_id', o.entity_id, 'number', o.number),
           now(), 'order:' || o.id, o.entity_id
    FROM orders_order o WHERE o.id = ANY(ids);
END $$;
