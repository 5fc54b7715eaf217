-- The floor: one request by hand: a conditional UPDATE of the balances in id order, and the same
-- durable rows as the product: reservation, run, receipt, fact and its deliveries.
CREATE SCHEMA IF NOT EXISTS bench;

CREATE FUNCTION bench.keep(entity bigint, wanted bigint, demand bigint, q numeric, heard text[])
RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE taken record; run bigint; said bigint; given numeric := 0;
BEGIN
    FOR taken IN
        UPDATE inventory_stock s SET reserved = reserved + q
        WHERE s.id = (SELECT id FROM inventory_stock t
                      WHERE t.product_id = wanted AND t.entity_id = entity
                        AND t.status = 'available' AND t.on_hand - t.reserved >= q
                      ORDER BY id LIMIT 1 FOR UPDATE)
          AND s.on_hand - s.reserved >= q
        RETURNING s.id, s.node_id
    LOOP
        given := q;
        INSERT INTO inventory_reservation
            (stock_id, demand_kind, demand_id, quantity, created_at, closed_as)
        VALUES (taken.id, 'bench.floor', demand, q, now(), '');
        INSERT INTO outbox_message (name, key, entity_id, payload, published_at)
        VALUES ('inventory.stock_fell', 'node:' || entity || ':' || taken.node_id, entity,
            jsonb_build_object('entity_id', entity, 'node_id', taken.node_id,
                'product_ids', wanted::text), now())
        RETURNING id INTO said;
        INSERT INTO outbox_delivery (message_id, handler, key, status, attempts, last_error)
        SELECT said, h, 'node:' || entity || ':' || taken.node_id, 'pending', 0, ''
        FROM unnest(heard) AS h;
    END LOOP;
    INSERT INTO inventory_allocationrun
        (at, cause, policy_version, demands, asked, given, milliseconds, certificate)
    VALUES (now(), 'bench', '', 1, q, given, 0, '{"holds": true, "excused": 0, "faults":
        {"left_over": 0, "out_of_turn": 0, "not_complete": 0, "more_than_asked": 0,
         "more_than_there_is": 0, "from_a_closed_node": 0},
        "classes": [{"class": 50, "asked": 1000, "given": 1000}]}') RETURNING id INTO run;
    INSERT INTO inventory_allocationdecision
        (run_id, demand_kind, demand_id, demand_label, entity_id, product_id, asked, given, outcome,
         candidates, flip)
    VALUES (run, 'bench.floor', demand, '', entity, wanted, q, given,
        CASE WHEN given = q THEN 'full' ELSE 'none' END,
        jsonb_build_array(jsonb_build_array('N1', 1000000000, given * 1000, 0)), '');
    RETURN given;
END $$;
