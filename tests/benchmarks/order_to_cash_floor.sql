-- The floor: the same durable rows as the product, by hand, one function a step, no Python.
-- Each step writes its document rows, its audit entries, its outbox messages and their deliveries.
-- What releasing writes is in release_batch_floor.sql, which is loaded before.

CREATE FUNCTION bench.note(acting text, kind text, ids bigint[], entity bigint, parents bigint[],
                           was jsonb, is_now jsonb, why text, version text)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO governance_auditentry
        (at, entity_id, actor_kind, action, subject_kind, subject_id, thread, before, after, reason,
         request_id, policy_version)
    SELECT now(), entity, 'system', acting, kind, i, 'orders.order:' || p, was, is_now, why, '',
           version
    FROM unnest(ids, parents) AS t(i, p);
$$;

CREATE FUNCTION bench.tell(fact text, field text, topic text, ids bigint[], entity bigint,
                           more jsonb)
RETURNS void LANGUAGE sql AS $$
    WITH told AS (
        INSERT INTO outbox_message (name, payload, published_at, key, entity_id)
        SELECT fact, jsonb_build_object(field, i, 'entity_id', entity) || more, now(),
               CASE WHEN topic = '' THEN '' ELSE topic || i END, entity
        FROM unnest(ids) AS i
        RETURNING id, name, key
    )
    INSERT INTO outbox_delivery (message_id, handler, key, status, attempts, last_error)
    SELECT told.id, l.handler, told.key, 'pending', 0, ''
    FROM told JOIN bench.listener l USING (name);
$$;

-- drafts: one customer account and one list of (product, quantity) per order
CREATE FUNCTION bench.create_orders(accounts bigint[], products bigint[], quantities numeric[], per int)
RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE ids bigint[]; entity bigint;
BEGIN
    SELECT entity_id INTO entity FROM orders_creditaccount WHERE id = accounts[1];
    WITH made AS (
        INSERT INTO orders_order
            (entity_id, customer_id, account_id, state, channel, customer_po, external_ref, currency,
             requested_date, ship_to, ship_complete, no_split, no_substitutes, class_code, priority,
             freight, subtotal, total, created_at, cancel_reason)
        SELECT a.entity_id, a.customer_id, a.id, 'draft', 'api', '', '', a.currency,
               current_date + 3,
               '{"city": "X", "name": "Customer 25", "address": "1 Dock Road", "country": "US",
                 "postal_code": "1"}', false, false, false, '', 50, 0, 0, 0, now(), ''
        FROM unnest(accounts) WITH ORDINALITY AS t(account, n) JOIN orders_creditaccount a ON a.id = account
        ORDER BY n
        RETURNING id
    ) SELECT array_agg(id ORDER BY id) INTO ids FROM made;
    INSERT INTO orders_orderline
        (order_id, position, product_id, uom, uom_quantity, quantity, unit_price, price_source,
         discount, amount, price_basis, reserved, shipped, invoiced, cancelled)
    SELECT ids[1 + (n - 1) / per], 1 + (n - 1) % per, product, 'EA', q, q, p.unit_price, 'list', 0,
           round(q * p.unit_price, 4),
           jsonb_build_object('kind', 'list', 'break', '0', 'price', p.id,
                              'unit_price', p.unit_price::text), 0, 0, 0, 0
    FROM unnest(products, quantities) WITH ORDINALITY AS t(product, q, n)
    JOIN LATERAL (
        SELECT id, unit_price FROM orders_price
        WHERE product_id = product AND entity_id = entity AND customer_id IS NULL
          AND valid_from <= current_date AND min_quantity <= q
        ORDER BY min_quantity DESC, valid_from DESC LIMIT 1
    ) p ON true;
    UPDATE orders_order o SET subtotal = s.amount, total = round(s.amount, 2)
    FROM (SELECT order_id, sum(amount) AS amount FROM orders_orderline
          WHERE order_id = ANY(ids) GROUP BY order_id) s WHERE o.id = s.order_id;
    PERFORM bench.note('orders.create', 'orders.order', ids, entity, ids, NULL,
        '{"lines": 5, "state": "draft", "total": "234.46", "channel": "api", "currency": "USD",
          "customer": "C0025"}', '', '');
    PERFORM bench.tell('orders.order_created', 'order_id', '', ids, entity,
        '{"number": "SO-10100"}');
    RETURN ids;
END $$;

CREATE FUNCTION bench.allocate_orders(ids bigint[]) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE entity bigint; shipments bigint[]; parents bigint[]; run bigint;
BEGIN
    SELECT entity_id INTO entity FROM orders_order WHERE id = ANY(ids) LIMIT 1;
    PERFORM 1 FROM orders_order WHERE id = ANY(ids) ORDER BY id FOR UPDATE;
    PERFORM 1 FROM inventory_stock WHERE id IN (
        SELECT s.id FROM orders_orderline l JOIN inventory_stock s ON s.product_id = l.product_id
         AND s.entity_id = entity AND s.status = 'available' WHERE l.order_id = ANY(ids))
    ORDER BY id FOR UPDATE;
    CREATE TEMP TABLE IF NOT EXISTS picked (line bigint, ord bigint, product bigint, stock bigint,
        node bigint, q numeric) ON COMMIT DELETE ROWS;
    TRUNCATE picked;
    INSERT INTO picked
    SELECT l.id, l.order_id, l.product_id, s.id, s.node_id, l.quantity
    FROM orders_orderline l
    JOIN LATERAL (SELECT id, node_id FROM inventory_stock s WHERE s.product_id = l.product_id
        AND s.entity_id = entity AND s.status = 'available' AND s.on_hand - s.reserved >= l.quantity
        ORDER BY s.on_hand - s.reserved DESC LIMIT 1) s ON true
    WHERE l.order_id = ANY(ids);
    UPDATE inventory_stock s SET reserved = reserved + p.q
    FROM (SELECT stock, sum(q) AS q FROM picked GROUP BY stock) p WHERE s.id = p.stock;
    INSERT INTO inventory_reservation
        (stock_id, demand_kind, demand_id, quantity, created_at, closed_as)
    SELECT stock, 'orders.line', line, q, now(), '' FROM picked;
    UPDATE orders_orderline l SET reserved = p.q, promised_date = current_date + 1,
           first_promised_date = current_date + 1, promised_p90_date = current_date + 1,
           promise_basis = jsonb_build_object(
               'at', now(), 'cause', 'Reserved from stock', 'supplies', '[]'::jsonb)
    FROM picked p WHERE l.id = p.line;
    UPDATE orders_order SET state = 'allocated', promised_date = current_date + 1
    WHERE id = ANY(ids) AND state = 'released';
    WITH made AS (
        INSERT INTO inventory_shipment
            (entity_id, node_id, source_kind, source_id, source_number, state, ship_to, planned_date,
             created_at, tracking_number, cartons, weight, freight_cost, failure)
        SELECT DISTINCT entity, node, 'orders.order', ord, o.number, 'planned', o.ship_to, current_date,
               now(), '', 0, 0, 0, ''
        FROM picked JOIN orders_order o ON o.id = ord
        RETURNING id, source_id, node_id
    ), lines AS (
        INSERT INTO inventory_shipmentline
            (shipment_id, demand_kind, demand_id, product_id, stock_id, quantity, short_reason)
        SELECT m.id, 'orders.line', p.line, p.product, p.stock, p.q, ''
        FROM made m JOIN picked p ON p.ord = m.source_id AND p.node = m.node_id
    ) SELECT array_agg(id ORDER BY id), array_agg(source_id ORDER BY id)
      INTO shipments, parents FROM made;
    INSERT INTO inventory_allocationrun
        (at, cause, policy_version, demands, asked, given, milliseconds, certificate)
    SELECT now(), 'bench', 'inventory.allocation v1', count(*), sum(q), sum(q), 1,
           jsonb_build_object('holds', true, 'excused', 0, 'faults', '{"left_over": 0, "out_of_turn": 0,
               "not_complete": 0, "more_than_asked": 0, "more_than_there_is": 0,
               "from_a_closed_node": 0, "not_allowed": 0, "not_instead": 0,
               "too_many_hands": 0}'::jsonb, 'classes', jsonb_build_array(
               jsonb_build_object('class', 3, 'asked', sum(q) * 1000, 'given', sum(q) * 1000)))
    FROM picked
    RETURNING id INTO run;
    INSERT INTO inventory_allocationdecision
        (run_id, demand_kind, demand_id, demand_label, entity_id, product_id, asked, given, outcome,
         candidates, flip)
    SELECT run, 'orders.line', line, 'SO-10100', entity, product, q, q, 'full',
           '[["N1", 1000000000, 5000, 0]]', ''
    FROM picked;
    PERFORM bench.note('inventory.plan', 'inventory.shipment', shipments, entity, parents, NULL,
        '{"state": "planned", "number": "SH-20100", "planned_date": "2026-11-24"}', '', '');
    PERFORM bench.note('orders.allocate', 'orders.order', ids, entity, ids,
        '{"state": "released"}', '{"run": "1", "given": "19", "state": "allocated"}', 'bench',
        'inventory.allocation v1');
    PERFORM bench.tell('inventory.shipment_planned', 'shipment_id', 'shipment:', shipments, entity,
        '{"number": "SH-20100", "source_id": 100}');
    PERFORM bench.tell('orders.order_allocated', 'order_id', '', ids, entity,
        '{"number": "SO-10100", "state": "allocated"}');
    PERFORM bench.tell('inventory.stock_fell', 'node_id', 'node:', array_agg(node), entity,
        jsonb_build_object('product_ids', max(products)))
    FROM (SELECT node, string_agg(DISTINCT product::text, ',') AS products
          FROM picked GROUP BY node) AS fell;
    RETURN shipments;
END $$;

CREATE FUNCTION bench.pick_shipments(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE entity bigint; parents bigint[];
BEGIN
    SELECT min(entity_id), array_agg(source_id ORDER BY id) INTO entity, parents
    FROM inventory_shipment WHERE id = ANY(ids);
    PERFORM 1 FROM inventory_shipment WHERE id = ANY(ids) ORDER BY id FOR UPDATE;
    UPDATE inventory_shipmentline SET picked = quantity WHERE shipment_id = ANY(ids);
    UPDATE inventory_shipment SET state = 'picked', picked_at = now()
    WHERE id = ANY(ids) AND state = 'planned';
    UPDATE orders_order SET state = 'fulfilling' WHERE id = ANY(parents) AND state = 'allocated';
    PERFORM bench.note('inventory.pick', 'inventory.shipment', ids, entity, parents,
        '{"state": "planned"}', '{"state": "picked", "number": "SH-20100", "shorts": []}', '', '');
    PERFORM bench.note('orders.start_picking', 'orders.order', parents, entity, parents, NULL,
        '{"state": "fulfilling"}', '', '');
    PERFORM bench.tell('inventory.shipment_picked', 'shipment_id', 'shipment:', ids, entity,
        '{"number": "SH-20100", "source_id": 100}');
END $$;

CREATE FUNCTION bench.pack_shipments(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE entity bigint; parents bigint[];
BEGIN
    SELECT min(entity_id), array_agg(source_id ORDER BY id) INTO entity, parents
    FROM inventory_shipment WHERE id = ANY(ids);
    INSERT INTO inventory_carton (shipment_id, number, sscc, weight)
    SELECT i, 1, lpad(i::text, 18, '0'), 1 FROM unnest(ids) AS i;
    UPDATE inventory_shipment SET state = 'packed', packed_at = now(), cartons = 1, weight = 1
    WHERE id = ANY(ids) AND state = 'picked';
    PERFORM bench.note('inventory.pack', 'inventory.shipment', ids, entity, parents,
        '{"state": "picked"}',
        '{"state": "packed", "number": "SH-20100", "weight": "0.000", "cartons": 1}', '', '');
    PERFORM bench.tell('inventory.shipment_packed', 'shipment_id', 'shipment:', ids, entity,
        '{"number": "SH-20100", "source_id": 100}');
END $$;

CREATE FUNCTION bench.ship_shipments(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE entity bigint; parents bigint[];
BEGIN
    SELECT min(entity_id), array_agg(source_id ORDER BY id) INTO entity, parents
    FROM inventory_shipment WHERE id = ANY(ids);
    PERFORM 1 FROM orders_creditaccount WHERE id IN
        (SELECT account_id FROM orders_order WHERE id = ANY(parents)) ORDER BY id FOR UPDATE;
    PERFORM 1 FROM orders_order WHERE id = ANY(parents) ORDER BY id FOR UPDATE;
    PERFORM 1 FROM inventory_shipment WHERE id = ANY(ids) ORDER BY id FOR UPDATE;
    PERFORM 1 FROM inventory_stock WHERE id IN
        (SELECT stock_id FROM inventory_shipmentline WHERE shipment_id = ANY(ids))
        ORDER BY id FOR UPDATE;
    PERFORM 1 FROM inventory_productcost WHERE entity_id = entity AND product_id IN
        (SELECT product_id FROM inventory_shipmentline WHERE shipment_id = ANY(ids))
        ORDER BY id FOR UPDATE;
    WITH running AS (
        SELECT l.id, c.value / c.quantity AS unit,
               sum(l.picked) OVER (PARTITION BY l.product_id ORDER BY l.id) AS upto, l.picked
        FROM inventory_shipmentline l
        JOIN inventory_productcost c ON c.product_id = l.product_id AND c.entity_id = entity
        WHERE l.shipment_id = ANY(ids)
    ) UPDATE inventory_shipmentline l
      SET cost = round(r.unit * r.upto, 2) - round(r.unit * (r.upto - r.picked), 2)
      FROM running r WHERE l.id = r.id;
    UPDATE inventory_productcost c SET quantity = c.quantity - s.q, value = c.value - s.cost
    FROM (SELECT product_id, sum(picked) AS q, sum(cost) AS cost FROM inventory_shipmentline
          WHERE shipment_id = ANY(ids) GROUP BY product_id) s
    WHERE c.product_id = s.product_id AND c.entity_id = entity;
    UPDATE inventory_stock s SET on_hand = on_hand - l.q, reserved = reserved - l.q
    FROM (SELECT stock_id, sum(picked) AS q FROM inventory_shipmentline
          WHERE shipment_id = ANY(ids) GROUP BY stock_id) l WHERE s.id = l.stock_id;
    UPDATE inventory_reservation r SET closed_at = now(), closed_as = 'shipped'
    FROM inventory_shipmentline l WHERE l.shipment_id = ANY(ids) AND r.demand_id = l.demand_id
      AND r.demand_kind = l.demand_kind AND r.stock_id = l.stock_id AND r.closed_at IS NULL;
    INSERT INTO inventory_stockmove
        (at, kind, entity_id, node_id, product_id, status, quantity, value, cause_kind, cause_id)
    SELECT now(), 'shipment', entity, h.node_id, l.product_id, 'available', -l.picked, -l.cost,
           'inventory.shipmentline', l.id
    FROM inventory_shipmentline l JOIN inventory_shipment h ON h.id = l.shipment_id
    WHERE l.shipment_id = ANY(ids);
    UPDATE inventory_shipment SET state = 'shipped', shipped_at = now()
    WHERE id = ANY(ids) AND state = 'packed';
    UPDATE orders_orderline l SET shipped = l.shipped + s.picked, reserved = l.reserved - s.picked
    FROM inventory_shipmentline s WHERE s.shipment_id = ANY(ids) AND l.id = s.demand_id;
    UPDATE orders_order o SET state = 'shipped', shipped_at = now() WHERE id = ANY(parents)
      AND NOT EXISTS (SELECT 1 FROM orders_orderline l WHERE l.order_id = o.id
                      AND l.quantity > l.shipped + l.cancelled);
    UPDATE orders_creditaccount a SET committed = committed - s.total, unbilled = unbilled + s.total
    FROM (SELECT account_id, sum(total) AS total FROM orders_order WHERE id = ANY(parents)
          GROUP BY account_id) s WHERE a.id = s.account_id;
    WITH entries AS (
        INSERT INTO finance_journalentry
            (entity_id, kind, cause_kind, cause_id, date, posted_at, memo)
        SELECT entity, 'shipment', 'inventory.shipment', i, current_date, now(), ''
        FROM unnest(ids) AS i RETURNING id, cause_id
    ), worth AS (
        SELECT e.id, sum(s.cost) AS cost, round(sum(l.amount), 2) AS amount
        FROM entries e JOIN inventory_shipmentline s ON s.shipment_id = e.cause_id
        JOIN orders_orderline l ON l.id = s.demand_id GROUP BY e.id
    )
    INSERT INTO finance_journalline (entry_id, account_id, debit, credit)
    SELECT w.id, a.id, CASE a.purpose WHEN 'cost' THEN w.cost WHEN 'unbilled' THEN w.amount ELSE 0 END,
           CASE a.purpose WHEN 'inventory' THEN w.cost WHEN 'revenue' THEN w.amount ELSE 0 END
    FROM worth w JOIN finance_account a ON a.entity_id = entity
     AND a.purpose IN ('cost', 'inventory', 'unbilled', 'revenue');
    PERFORM bench.note('inventory.ship', 'inventory.shipment', ids, entity, parents,
        '{"state": "packed"}', '{"state": "shipped", "number": "SH-20100"}', '', '');
    PERFORM bench.note('orders.ship', 'orders.order', parents, entity, parents,
        '{"state": "fulfilling"}', '{"state": "shipped"}', '', '');
    PERFORM bench.tell('inventory.shipment_shipped', 'shipment_id', 'shipment:', ids, entity,
        '{"number": "SH-20100", "source_id": 100}');
    PERFORM bench.tell('orders.order_shipped', 'order_id', '', parents, entity,
        '{"number": "SO-10100"}');
END $$;

CREATE FUNCTION bench.invoice_shipments(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE entity bigint; parents bigint[]; invoices bigint[]; first bigint;
BEGIN
    SELECT min(entity_id), array_agg(source_id ORDER BY id) INTO entity, parents
    FROM inventory_shipment WHERE id = ANY(ids);
    PERFORM 1 FROM orders_creditaccount WHERE id IN
        (SELECT account_id FROM orders_order WHERE id = ANY(parents)) ORDER BY id FOR UPDATE;
    INSERT INTO accounts_numberseries AS s (entity_id, series, next_number)
    VALUES (entity, 'BENCH', 1 + cardinality(ids))
    ON CONFLICT (entity_id, series) DO UPDATE SET next_number = s.next_number + cardinality(ids)
    RETURNING next_number - cardinality(ids) INTO first;
    WITH made AS (
        INSERT INTO finance_invoice
            (number, entity_id, customer_id, account_id, order_id, shipment_id, state, currency,
             invoice_date, due_date, net, freight, tax, total, paid, created_at, posted_at)
        SELECT 'B-' || entity || '-' || lpad((first + n - 1)::text, 10, '0'), entity, o.customer_id, o.account_id, o.id, i,
               'posted', o.currency, current_date, current_date + 30, w.amount, 0, 0, w.amount, 0,
               now(), now()
        FROM unnest(ids) WITH ORDINALITY AS t(i, n)
        JOIN inventory_shipment h ON h.id = i JOIN orders_order o ON o.id = h.source_id
        JOIN LATERAL (SELECT round(sum(l.amount), 2) AS amount FROM inventory_shipmentline s
            JOIN orders_orderline l ON l.id = s.demand_id WHERE s.shipment_id = i) w ON true
        RETURNING id, shipment_id, net
    ), lines AS (
        INSERT INTO finance_invoiceline
            (invoice_id, shipment_line_id, order_line_id, product_id, quantity, unit_price, discount,
             amount)
        SELECT m.id, s.id, l.id, l.product_id, s.picked, l.unit_price, l.discount,
               round(sum(l.amount) OVER w, 2) - round(sum(l.amount) OVER w - l.amount, 2)
        FROM made m JOIN inventory_shipmentline s ON s.shipment_id = m.shipment_id
        JOIN orders_orderline l ON l.id = s.demand_id
        WINDOW w AS (PARTITION BY m.id ORDER BY l.position)
    ), entries AS (
        INSERT INTO finance_journalentry
            (entity_id, kind, cause_kind, cause_id, date, posted_at, memo)
        SELECT entity, 'invoice', 'finance.invoice', id, current_date, now(), 'INV-BENCH-000100'
        FROM made
        RETURNING id, cause_id
    ), posted AS (
        INSERT INTO finance_journalline (entry_id, account_id, debit, credit)
        SELECT e.id, a.id, CASE a.purpose WHEN 'receivable' THEN m.net ELSE 0 END,
               CASE a.purpose WHEN 'unbilled' THEN m.net ELSE 0 END
        FROM entries e JOIN made m ON m.id = e.cause_id
        JOIN finance_account a ON a.entity_id = entity AND a.purpose IN ('receivable', 'unbilled')
    ) SELECT array_agg(id ORDER BY id) INTO invoices FROM made;
    UPDATE orders_orderline l SET invoiced = l.shipped WHERE order_id = ANY(parents);
    UPDATE orders_order SET state = 'invoiced', invoiced_at = now()
    WHERE id = ANY(parents) AND state = 'shipped';
    UPDATE orders_creditaccount a SET unbilled = unbilled - s.total, receivable = receivable + s.total
    FROM (SELECT account_id, sum(net) AS total FROM finance_invoice WHERE id = ANY(invoices)
          GROUP BY account_id) s WHERE a.id = s.account_id;
    PERFORM bench.note('finance.post_invoice', 'finance.invoice', invoices, entity, parents, NULL,
        '{"state": "posted", "total": "234.4600", "number": "INV-BENCH-000100",
          "currency": "USD"}', '', '');
    PERFORM bench.note('orders.invoice', 'orders.order', parents, entity, parents,
        '{"state": "shipped"}', '{"state": "invoiced"}', '', '');
    PERFORM bench.tell('finance.invoice_posted', 'invoice_id', '', invoices, entity,
        '{"total": "234.4600", "number": "INV-BENCH-000100", "currency": "USD", "order_id": 100}');
END $$;
