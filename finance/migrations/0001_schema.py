import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.math
import django_fsm
import erp.kernel.fields
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models
from erp.kernel.folding import Folded


class Migration(migrations.Migration):

    initial = True

    # What a database that grew step by step has applied already.
    replaces = [
        ('finance', '0001_initial'),
        ('finance', '0002_group_sales'),
        ('finance', '0002_late_costs'),
    ]

    dependencies = [
        ('accounts', '0001_initial'),
        ('inventory', '0001_schema'),
        ('orders', '0001_schema'),
    ]

    operations = [Folded([
        migrations.CreateModel(
            name='Account',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('entity', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.entity')),
                ('code', models.CharField(max_length=10)),
                ('name', models.CharField(max_length=100)),
                ('kind', models.CharField(choices=[('asset', 'Asset'), ('liability', 'Liability'), ('equity', 'Equity'), ('income', 'Income'), ('expense', 'Expense')], max_length=10)),
                ('purpose', models.CharField(choices=[('bank', 'Bank'), ('receivable', 'Trade receivables'), ('unbilled', 'Shipped, not invoiced'), ('inventory', 'Inventory'), ('due_from', 'Due from sister companies'), ('due_to', 'Due to sister companies'), ('received', 'Goods received, not billed'), ('landed', 'Late costs, not billed'), ('unapplied', 'Unapplied cash'), ('opening', 'Opening balances'), ('revenue', 'Sales'), ('freight', 'Freight charged'), ('cost', 'Cost of goods sold'), ('group_revenue', 'Sales to sister companies'), ('group_cost', 'Cost of sales to sister companies'), ('variance', 'Stock adjustments'), ('rounding', 'Rounding')], max_length=20)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('entity', 'code'), name='finance_account_once'), models.UniqueConstraint(fields=('entity', 'purpose'), name='finance_account_one_per_purpose')],
            },
        ),
        migrations.CreateModel(
            name='ExchangeRate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('base', models.CharField(max_length=3)),
                ('quote', models.CharField(max_length=3)),
                ('on_date', models.DateField()),
                ('rate', erp.kernel.fields.ExchangeRateField(decimal_places=9, max_digits=18)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('base', 'quote', 'on_date'), name='finance_rate_once_per_day'), models.CheckConstraint(condition=models.Q(('rate__gt', 0)), name='finance_rate_above_zero'), models.CheckConstraint(condition=models.Q(('base', models.F('quote')), _negated=True), name='finance_rate_between_two_currencies')],
            },
        ),
        migrations.CreateModel(
            name='GroupSale',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('transfer', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='sale', to='inventory.transfer')),
                ('seller', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.entity')),
                ('buyer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.entity')),
                ('sold_at', models.DateTimeField()),
                ('currency', models.CharField(max_length=3)),
                ('buyer_currency', models.CharField(max_length=3)),
                ('rate', erp.kernel.fields.ExchangeRateField(decimal_places=9, max_digits=18)),
                ('cost', erp.kernel.fields.AmountField(decimal_places=4, max_digits=19)),
                ('price', erp.kernel.fields.AmountField(decimal_places=4, max_digits=19)),
                ('landed', erp.kernel.fields.AmountField(decimal_places=4, max_digits=19)),
                ('policy_version', models.CharField(blank=True, max_length=80)),
            ],
            options={
                'indexes': [models.Index(fields=['seller', '-id'], name='finance_groupsale_of_seller')],
                'constraints': [models.CheckConstraint(condition=models.Q(('seller', models.F('buyer')), _negated=True), name='finance_groupsale_between_two_companies'), models.CheckConstraint(condition=models.Q(('cost__gte', 0), ('landed__gte', 0), ('price__gte', 0), ('rate__gt', 0)), name='finance_groupsale_not_negative'), models.CheckConstraint(condition=models.Q(models.Q(('currency', models.F('buyer_currency')), _negated=True), models.Q(('landed', models.F('price')), ('rate', 1)), _connector='OR'), name='finance_groupsale_same_currency_same_amount')],
            },
        ),
        migrations.CreateModel(
            name='Invoice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=30, null=True, unique=True)),
                ('entity', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.entity')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orders.customer')),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orders.creditaccount')),
                ('order', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orders.order')),
                ('shipment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.shipment')),
                ('state', django_fsm.FSMField(choices=[('draft', 'Draft'), ('posted', 'Posted'), ('partly_paid', 'Partly paid'), ('paid', 'Paid')], default='draft', max_length=50, protected=True)),
                ('currency', models.CharField(max_length=3)),
                ('invoice_date', models.DateField()),
                ('due_date', models.DateField()),
                ('net', erp.kernel.fields.AmountField(decimal_places=4, default=0, max_digits=19)),
                ('freight', erp.kernel.fields.AmountField(decimal_places=4, default=0, max_digits=19)),
                ('tax', erp.kernel.fields.AmountField(decimal_places=4, default=0, max_digits=19)),
                ('total', erp.kernel.fields.AmountField(decimal_places=4, default=0, max_digits=19)),
                ('paid', erp.kernel.fields.AmountField(decimal_places=4, default=0, max_digits=19)),
                ('created_at', models.DateTimeField()),
                ('posted_at', models.DateTimeField(blank=True, null=True)),
                ('paid_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'permissions': [('post_invoice', 'Can post an invoice')],
                'indexes': [models.Index(fields=['entity', '-id'], name='finance_invoice_newest'), models.Index(condition=models.Q(('state__in', ['posted', 'partly_paid'])), fields=['account', 'due_date', 'id'], name='finance_invoice_unpaid'), models.Index(fields=['order'], name='finance_invoice_of_order'), models.Index(condition=models.Q(('state', 'draft')), fields=['id'], name='finance_invoice_to_post')],
                'constraints': [models.UniqueConstraint(fields=('shipment',), name='finance_invoice_once_per_shipment'), models.CheckConstraint(condition=models.Q(('state', 'draft'), models.Q(('number__isnull', False), ('posted_at__isnull', False)), _connector='OR'), name='finance_invoice_number_is_set_once_posted'), models.CheckConstraint(condition=models.Q(('paid__gte', 0), ('paid__lte', models.F('total'))), name='finance_invoice_paid_at_most'), models.CheckConstraint(condition=models.Q(('total', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('net'), '+', models.F('freight')), '+', models.F('tax')))), name='finance_invoice_total_adds_up'), models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'posted', 'partly_paid', 'paid'])), name='finance_invoice_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('paid', models.F('total')), ('paid_at__isnull', False), ('state', 'paid')), models.Q(models.Q(('state', 'paid'), _negated=True), ('paid_at', None)), _connector='OR'), name='finance_invoice_paid_at_is_set_once_paid'), models.CheckConstraint(condition=models.Q(('freight', django.db.models.functions.math.Round('freight', precision=2)), ('net', django.db.models.functions.math.Round('net', precision=2)), ('paid', django.db.models.functions.math.Round('paid', precision=2)), ('tax', django.db.models.functions.math.Round('tax', precision=2))), name='finance_invoice_is_whole_cents'), models.UniqueConstraint(condition=models.Q(('freight__gt', 0)), fields=('order',), name='finance_invoice_freight_once_per_order')],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        migrations.CreateModel(
            name='InvoiceLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('invoice', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='finance.invoice')),
                ('shipment_line', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.shipmentline')),
                ('order_line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orders.orderline')),
                ('product', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.product')),
                ('quantity', erp.kernel.fields.QuantityField(decimal_places=3, max_digits=15)),
                ('unit_price', erp.kernel.fields.AmountField(decimal_places=4, max_digits=19)),
                ('discount', erp.kernel.fields.RateField(decimal_places=6, default=0, max_digits=9)),
                ('amount', erp.kernel.fields.AmountField(decimal_places=4, max_digits=19)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('amount', django.db.models.functions.math.Round('amount', precision=2)), ('quantity__gt', 0)), name='finance_invoiceline_is_whole_cents')],
            },
        ),
        migrations.CreateModel(
            name='JournalEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('entity', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.entity')),
                ('kind', models.CharField(choices=[('opening', 'Opening'), ('shipment', 'Shipment'), ('invoice', 'Invoice'), ('payment', 'Payment'), ('receipt', 'Receipt'), ('adjustment', 'Adjustment'), ('reversal', 'Reversal'), ('manual', 'Manual')], max_length=12)),
                ('cause_kind', models.CharField(max_length=40)),
                ('cause_id', models.BigIntegerField()),
                ('date', models.DateField()),
                ('posted_at', models.DateTimeField()),
                ('posted_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('memo', models.CharField(blank=True, max_length=200)),
            ],
            options={
                'verbose_name_plural': 'journal entries',
                'permissions': [('write_journalentry', 'Can write and reverse a journal entry')],
                'indexes': [models.Index(fields=['entity', 'date'], name='finance_entry_by_date')],
                'constraints': [models.UniqueConstraint(fields=('cause_id', 'cause_kind', 'kind'), name='finance_entry_once_per_cause')],
            },
        ),
        migrations.CreateModel(
            name='JournalLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('entry', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='finance.journalentry')),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='finance.account')),
                ('debit', erp.kernel.fields.AmountField(decimal_places=4, default=0, max_digits=19)),
                ('credit', erp.kernel.fields.AmountField(decimal_places=4, default=0, max_digits=19)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('credit', 0), ('debit__gt', 0)), models.Q(('credit__gt', 0), ('debit', 0)), _connector='OR'), name='finance_line_is_a_debit_or_a_credit'), models.CheckConstraint(condition=models.Q(('credit', django.db.models.functions.math.Round('credit', precision=2)), ('debit', django.db.models.functions.math.Round('debit', precision=2))), name='finance_line_is_whole_cents')],
            },
        ),
        migrations.CreateModel(
            name='Payment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(db_default=erp.kernel.fields.NextNumber('PAY-', 'finance_payment_number'), max_length=20, unique=True)),
                ('entity', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.entity')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orders.customer')),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orders.creditaccount')),
                ('currency', models.CharField(max_length=3)),
                ('amount', erp.kernel.fields.AmountField(decimal_places=4, max_digits=19)),
                ('unapplied', erp.kernel.fields.AmountField(decimal_places=4, max_digits=19)),
                ('received_date', models.DateField()),
                ('reference', models.CharField(max_length=100)),
                ('posted_at', models.DateTimeField()),
                ('posted_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'permissions': [('post_payment', 'Can post and allocate a payment')],
                'indexes': [models.Index(fields=['entity', '-id'], name='finance_payment_newest')],
                'constraints': [models.CheckConstraint(condition=models.Q(('amount__gt', 0), ('unapplied__gte', 0), ('unapplied__lte', models.F('amount')), ('amount', django.db.models.functions.math.Round('amount', precision=2)), ('unapplied', django.db.models.functions.math.Round('unapplied', precision=2))), name='finance_payment_applies_at_most_itself'), models.CheckConstraint(condition=models.Q(('reference', ''), _negated=True), name='finance_payment_has_a_reference'), models.UniqueConstraint(fields=('entity', 'customer', 'reference'), name='finance_payment_once_per_reference')],
            },
        ),
        migrations.CreateModel(
            name='PaymentAllocation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('payment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='allocations', to='finance.payment')),
                ('invoice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='allocations', to='finance.invoice')),
                ('amount', erp.kernel.fields.AmountField(decimal_places=4, max_digits=19)),
                ('at', models.DateTimeField()),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('amount', django.db.models.functions.math.Round('amount', precision=2)), ('amount__gt', 0)), name='finance_allocation_above_zero')],
            },
        ),
        migrations.CreateModel(
            name='Period',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('entity', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.entity')),
                ('starts', models.DateField()),
                ('ends', models.DateField()),
                ('state', django_fsm.FSMField(choices=[('open', 'Open'), ('soft_closed', 'Soft-closed'), ('closed', 'Closed')], default='open', max_length=50, protected=True)),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'permissions': [('close_period', 'Can close and reopen a period')],
                'constraints': [models.UniqueConstraint(fields=('entity', 'starts'), name='finance_period_once'), models.CheckConstraint(condition=models.Q(('ends__gt', models.F('starts'))), name='finance_period_lasts'), models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', False), ('state', 'closed')), models.Q(('closed_at', None), ('state__in', ['open', 'soft_closed'])), _connector='OR'), name='finance_period_closed_at_is_set_once_closed')],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='invoice',
            trigger=pgtrigger.compiler.Trigger(name='posted_stays', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM \'draft\')', func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='e54b3424ea71e4b51ea4ddedc264770b0c23d1ff', operation='DELETE', pgid='pgtrigger_posted_stays_02ed1', table='finance_invoice', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='invoice',
            trigger=pgtrigger.compiler.Trigger(name='posted_stands', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM \'draft\' AND (NEW."state" = \'draft\' OR NEW."number" IS DISTINCT FROM (OLD."number") OR NEW."total" IS DISTINCT FROM (OLD."total") OR NEW."net" IS DISTINCT FROM (OLD."net") OR NEW."account_id" IS DISTINCT FROM (OLD."account_id") OR NEW."invoice_date" IS DISTINCT FROM (OLD."invoice_date")))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='ceee677d399ab218910873aabf778bac8f688fbb', operation='UPDATE', pgid='pgtrigger_posted_stands_8f8f7', table='finance_invoice', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='invoiceline',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='b36e7aa59b70b2a761f5c6feca1dc1c31644e302', operation='UPDATE', pgid='pgtrigger_append_only_8ab57', table='finance_invoiceline', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='journalentry',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='320e964ca268dc9e0b632ed913016356350913db', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_04c76', table='finance_journalentry', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='journalentry',
            trigger=pgtrigger.compiler.Trigger(name='entries_stand', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE many boolean; broken boolean;', func="\n    PERFORM pg_advisory_xact_lock_shared(7346, touched.entity_id::int)\n    FROM (SELECT DISTINCT entity_id FROM added ORDER BY entity_id) AS touched;\n\n    INSERT INTO finance_period (entity_id, starts, ends, state)\n    SELECT DISTINCT a.entity_id, date_trunc('month', a.date)::date,\n           (date_trunc('month', a.date) + interval '1 month')::date, 'open'\n    FROM added a\n    WHERE NOT EXISTS (\n        SELECT FROM finance_period p\n        WHERE p.entity_id = a.entity_id AND p.starts = date_trunc('month', a.date)::date\n    )\n    ON CONFLICT DO NOTHING;\n\n    IF EXISTS (\n        SELECT FROM added a\n        JOIN finance_period p\n            ON p.entity_id = a.entity_id AND p.starts <= a.date AND p.ends > a.date\n        WHERE p.state = 'closed'\n           OR p.state = 'soft_closed' AND a.kind NOT IN ('adjustment', 'reversal', 'manual')\n    ) THEN\n        RAISE EXCEPTION 'an entry is dated in a closed period'\n        USING ERRCODE = 'check_violation', CONSTRAINT = 'finance_entry_period_is_open';\n    END IF;\n\n    many := (SELECT count(*) FROM added) > 50;\n    \n    IF many THEN EXECUTE $question$\n    SELECT EXISTS (\n        SELECT FROM added a\n        WHERE NOT EXISTS (SELECT FROM finance_journalline l WHERE l.entry_id = a.id)\n    )\n$question$ INTO broken;\n    ELSE broken := EXISTS (\n        SELECT FROM added a\n        WHERE NOT EXISTS (SELECT FROM finance_journalline l WHERE l.entry_id = a.id)\n    );\n    END IF;\n\n    IF broken THEN\n        RAISE EXCEPTION 'an entry came without its lines'\n        USING ERRCODE = 'check_violation', CONSTRAINT = 'finance_entry_has_lines';\n    END IF;\n\n    RETURN NULL;\n", hash='2fb04608238b32e8250e99cb56ce3c20155051ab', level='STATEMENT', operation='INSERT', pgid='pgtrigger_entries_stand_0ce50', referencing='REFERENCING NEW TABLE AS added ', table='finance_journalentry', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='journalline',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='1e270dc4b1f58458b65688bca558977493ee46e0', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_929b9', table='finance_journalline', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='journalline',
            trigger=pgtrigger.compiler.Trigger(name='lines_balance', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE many boolean; broken boolean;', func="\n    many := (SELECT count(*) FROM added) > 50;\n    \n    IF many THEN EXECUTE $question$\n    SELECT EXISTS (\n        SELECT FROM added a\n        GROUP BY a.entry_id\n        HAVING sum(a.debit) <> sum(a.credit)\n            OR count(*) <> (\n                SELECT count(*) FROM finance_journalline l WHERE l.entry_id = a.entry_id)\n    )\n$question$ INTO broken;\n    ELSE broken := EXISTS (\n        SELECT FROM added a\n        GROUP BY a.entry_id\n        HAVING sum(a.debit) <> sum(a.credit)\n            OR count(*) <> (\n                SELECT count(*) FROM finance_journalline l WHERE l.entry_id = a.entry_id)\n    );\n    END IF;\n\n    IF broken THEN\n        RAISE EXCEPTION 'debits and credits of an entry differ, or it was posted before'\n        USING ERRCODE = 'check_violation', CONSTRAINT = 'finance_entry_balances';\n    END IF;\n\n    \n    IF many THEN EXECUTE $question$\n    SELECT EXISTS (\n        SELECT FROM added a\n        JOIN finance_journalentry e ON e.id = a.entry_id\n        JOIN finance_account c ON c.id = a.account_id\n        WHERE c.entity_id <> e.entity_id\n    )\n$question$ INTO broken;\n    ELSE broken := EXISTS (\n        SELECT FROM added a\n        JOIN finance_journalentry e ON e.id = a.entry_id\n        JOIN finance_account c ON c.id = a.account_id\n        WHERE c.entity_id <> e.entity_id\n    );\n    END IF;\n\n    IF broken THEN\n        RAISE EXCEPTION 'a line is on the account of another entity'\n        USING ERRCODE = 'check_violation', CONSTRAINT = 'finance_line_is_on_its_own_books';\n    END IF;\n\n    RETURN NULL;\n", hash='18f01b658e75d6a6e30ff9bacffdb0498441e996', level='STATEMENT', operation='INSERT', pgid='pgtrigger_lines_balance_3a2c3', referencing='REFERENCING NEW TABLE AS added ', table='finance_journalline', when='AFTER')),
        ),
    ])]
