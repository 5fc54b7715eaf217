-- The floor: the rows that a release of clean orders writes, by hand and without asking anything.
-- The same rows in each table as the product writes, and as large: the benchmark counts both.
CREATE SCHEMA IF NOT EXISTS bench;

-- Who hears of what: filled by the benchmark as the product's registry has it.
CREATE TABLE bench.listener (name text NOT NULL, handler text NOT NULL);

CREATE FUNCTION bench.release_orders(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
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
           class_code = 'C-urgent', priority = 45, fingerprint = p.fingerprint
    FROM (SELECT order_id, md5(string_agg(product_id || ':' || quantity, ','
                                          ORDER BY product_id, quantity)) AS fingerprint
          FROM orders_orderline WHERE order_id = ANY(ids) GROUP BY order_id) p
    WHERE id = p.order_id AND state = 'draft';
    INSERT INTO orders_orderclass
        (order_id, version, class_code, priority, policy_version, inputs, cause, at)
    SELECT o.id, 1, 'C-urgent', 45, 'orders.classify v1',
           '{"tier": "C", "channel": "api", "penalty_rate": "0.000000", "total": "308.5000",
             "days_to_request": 0}', 'submitted', now()
    FROM orders_order o WHERE o.id = ANY(ids);
    INSERT INTO orders_sourcingplan
        (order_id, at, is_feasible, requested_date, possible_date, nodes, proposal)
    SELECT o.id, now(), false, o.requested_date, o.requested_date + 3,
           '[{"node": "N1", "lines": 5, "why": "It has the whole order."}]',
           '{"date": "2026-11-25"}'
    FROM orders_order o WHERE o.id = ANY(ids);
    -- One decision for each policy that is asked, with inputs as they are.
    INSERT INTO governance_decisionrecord
        (at, version_id, entity_id, node, subject_kind, subject_id, inputs, outcome, "row")
    SELECT now(), v.id, o.entity_id, '', 'orders.order', o.id,
           said.inputs || jsonb_build_object('tier', 'C', 'channel', 'api', 'total', o.total::text),
           said.outcome, 8
    FROM orders_order o
    CROSS JOIN (VALUES
        ('orders.classify', '{"penalty_rate": "0.000000", "days_to_request": 0}'::jsonb,
         '{"priority": 45, "class_code": "C-urgent"}'::jsonb),
        ('orders.release.completeness',
         '{"lines": 5, "country": "US", "has_terms": true, "has_tax_id": false,
           "customer_po": null, "has_address": true, "off_multiple": 0, "ship_country": "US",
           "unknown_uoms": 0, "below_minimum": 0, "blocked_products": 0,
           "customer_blocked": false}', '{"hold": false, "reason": "", "owner_role": ""}'),
        ('orders.release.credit',
         '{"used": "0.000000", "limit": "1000000000.0000", "score": null, "on_hold": false,
           "order_limit": null, "overdue_days": 0, "exposure_after": "382.5400",
           "overdue_amount": "0.0000", "longer_terms_days": 0, "limit_expired_days": 0}',
         '{"hold": false, "reason": "", "owner_role": ""}'),
        ('orders.release.duplicate',
         '{"repeat_hours": null, "same_po_days": null, "other_content_days": null}',
         '{"hold": false, "reason": "", "owner_role": ""}'),
        ('orders.release.margin',
         '{"margin": "0.360616", "category": null, "uncosted": 0, "worst_gap": "0.340616",
           "other_currency": false}', '{"hold": false, "reason": "", "owner_role": ""}'),
        ('orders.release.price',
         '{"above": "0", "below": "0", "moved": "0", "conceded": "0", "discount": "0",
           "unpriced": 0, "author_role": null}', '{"hold": false, "reason": "", "owner_role": ""}'),
        ('orders.release.promise',
         '{"days_late": 4, "shipments": 1, "short_lines": 0, "ship_complete": false,
           "days_to_request": 0, "unsourced_lines": 0}',
         '{"hold": false, "reason": "It can be met some days later: proposed.", "owner_role": ""}')
    ) AS said (code, inputs, outcome)
    JOIN governance_policy p ON p.code = said.code
    JOIN governance_policyversion v ON v.policy_id = p.id AND v.state = 'active'
    WHERE o.id = ANY(ids);
    INSERT INTO governance_auditentry
        (at, entity_id, actor_kind, action, subject_kind, subject_id, thread, before, after, reason,
         request_id, policy_version)
    SELECT now(), o.entity_id, 'system', 'orders.submit', 'orders.order', o.id,
           'orders.order:' || o.id, '{"state": "draft"}',
           '{"class": "C-urgent", "holds": [], "priority": 45, "state": "released"}', '', '',
           'orders.release.credit v1'
    FROM orders_order o WHERE o.id = ANY(ids);
    WITH told AS (
        INSERT INTO outbox_message (name, payload, published_at, key, entity_id)
        SELECT 'orders.order_released', jsonb_build_object(
                   'order_id', o.id, 'entity_id', o.entity_id, 'number', o.number),
               now(), '', o.entity_id
        FROM orders_order o WHERE o.id = ANY(ids)
        RETURNING id, name
    )
    INSERT INTO outbox_delivery (message_id, handler, key, status, attempts, last_error)
    SELECT told.id, l.handler, '', 'pending', 0, '' FROM told JOIN bench.listener l USING (name);
END $$;
