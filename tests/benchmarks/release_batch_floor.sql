-- The floor: the rows that a release of clean orders writes, by hand and without asking anything.
CREATE SCHEMA IF NOT EXISTS bench;

CREATE FUNCTION bench.release_batch(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
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
           class_code = 'C', priority = 50, fingerprint = p.fingerprint
    FROM (SELECT order_id, md5(string_agg(product_id || ':' || quantity, ','
                                          ORDER BY product_id, quantity)) AS fingerprint
          FROM orders_orderline WHERE order_id = ANY(ids) GROUP BY order_id) p
    WHERE id = p.order_id AND state = 'draft';
    INSERT INTO orders_orderclass
        (order_id, version, class_code, priority, policy_version, inputs, cause, at)
    SELECT o.id, 1, 'C', 50, 'orders.classify v1',
           '{"tier": "C", "channel": "api", "penalty_rate": "0.000000", "total": "308.5000",
             "days_to_request": 0}', 'submitted', now()
    FROM orders_order o WHERE o.id = ANY(ids);
    INSERT INTO orders_sourcingplan
        (order_id, at, is_feasible, requested_date, possible_date, nodes, proposal)
    SELECT o.id, now(), false, o.requested_date, o.requested_date + 3,
           '[{"node": "N1", "lines": 5, "why": "It has the whole order."}]',
           '{"date": "2026-11-25"}'
    FROM orders_order o WHERE o.id = ANY(ids);
    -- One decision for each policy that is asked, with inputs of the size that they have.
    INSERT INTO governance_decisionrecord
        (at, version_id, entity_id, node, subject_kind, subject_id, inputs, outcome, "row")
    SELECT now(), v.id, o.entity_id, '', 'orders.order', o.id,
           '{"limit": "1000000000.0000", "exposure_after": "12345.6700", "used": "0.000012",
             "overdue_days": 0, "overdue_amount": "0.0000", "tier": "C", "channel": "api",
             "total": "308.5000", "on_hold": false}',
           '{"hold": false, "owner_role": "", "reason": ""}', 8
    FROM orders_order o
    CROSS JOIN governance_policyversion v JOIN governance_policy p ON p.id = v.policy_id
    WHERE o.id = ANY(ids) AND v.state = 'active' AND p.code IN (
        'orders.classify', 'orders.release.completeness', 'orders.release.price',
        'orders.release.duplicate', 'orders.release.margin', 'orders.release.promise',
        'orders.release.credit');
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
