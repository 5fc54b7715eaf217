import datetime
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.text
import django_fsm
import erp.kernel.fields
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

# Their rows change in place all day: leave room on the pages.
HOT = ("inventory_stock", "inventory_productcost", "inventory_reservation", "inventory_shipment")


class Migration(migrations.Migration):

    initial = True

    # What a database that grew step by step has applied already.
    replaces = [
        ('inventory', '0001_initial'),
        ('inventory', '0002_storage'),
        ('inventory', '0003_export_control'),
        ('inventory', '0004_release_facts'),
        ('inventory', '0005_lots'),
        ('inventory', '0006_transfers'),
        ('inventory', '0007_counts'),
        ('inventory', '0008_certify_runs'),
        ('inventory', '0009_lapsing'),
        ('inventory', '0010_promising'),
    ]

    dependencies = [
        ('accounts', '0001_initial'),
    ]

    operations = [
        migrations.RunSQL(
            'CREATE SEQUENCE inventory_carton_serial',
            'DROP SEQUENCE inventory_carton_serial',
        ),
        migrations.RunSQL(
            'CREATE SEQUENCE inventory_transfer_number START 1001',
            'DROP SEQUENCE inventory_transfer_number',
        ),
        migrations.RunSQL(
            'CREATE SEQUENCE inventory_count_number START 1001',
            'DROP SEQUENCE inventory_count_number',
        ),
        migrations.CreateModel(
            name='AllocationRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('cause', models.CharField(max_length=60)),
                ('policy_version', models.CharField(blank=True, max_length=60)),
                ('demands', models.PositiveIntegerField()),
                ('asked', erp.kernel.fields.QuantityField(decimal_places=3, max_digits=15)),
                ('given', erp.kernel.fields.QuantityField(decimal_places=3, max_digits=15)),
                ('milliseconds', models.PositiveIntegerField(default=0)),
                ('certificate', models.JSONField(default=dict)),
            ],
        ),
        migrations.CreateModel(
            name='Product',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=40, unique=True)),
                ('name', models.CharField(max_length=200)),
                ('base_uom', models.CharField(default='EA', max_length=10)),
                ('category', models.CharField(blank=True, max_length=100)),
                ('tracking', models.CharField(choices=[('none', 'None'), ('lot', 'Lot'), ('serial', 'Serial')], default='none', max_length=10)),
                ('weight', models.DecimalField(decimal_places=4, default=0, max_digits=12)),
                ('barcode', models.CharField(blank=True, max_length=20)),
                ('pack_note', models.CharField(blank=True, max_length=100)),
                ('order_min', erp.kernel.fields.QuantityField(db_default=0, decimal_places=3, max_digits=15)),
                ('order_multiple', erp.kernel.fields.QuantityField(db_default=0, decimal_places=3, max_digits=15)),
                ('is_blocked', models.BooleanField(default=False)),
                ('is_discontinued', models.BooleanField(default=False)),
                ('export_code', models.CharField(blank=True, max_length=20)),
                ('hazmat_class', models.CharField(blank=True, max_length=10)),
                ('licence_required', models.BooleanField(default=False)),
                ('controlled_share', erp.kernel.fields.RateField(decimal_places=6, default=1, max_digits=9)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'indexes': [models.Index(django.db.models.functions.text.Upper('code'), name='inventory_product_code_prefix')],
                'constraints': [models.CheckConstraint(condition=models.Q(('code', ''), _negated=True), name='inventory_product_has_a_code'), models.CheckConstraint(condition=models.Q(('weight__gte', 0)), name='inventory_product_weight_not_negative'), models.CheckConstraint(condition=models.Q(('order_min__gte', 0), ('order_multiple__gte', 0)), name='inventory_product_order_rules_not_negative'), models.CheckConstraint(condition=models.Q(('controlled_share__gte', 0), ('controlled_share__lte', 1)), name='inventory_product_controlled_share_is_a_share')],
            },
        ),
        migrations.CreateModel(
            name='AllocationDecision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to='inventory.allocationrun')),
                ('demand_kind', models.CharField(max_length=40)),
                ('demand_id', models.BigIntegerField()),
                ('demand_label', models.CharField(blank=True, max_length=60)),
                ('entity', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.entity')),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.product')),
                ('asked', erp.kernel.fields.QuantityField(decimal_places=3, max_digits=15)),
                ('given', erp.kernel.fields.QuantityField(decimal_places=3, max_digits=15)),
                ('outcome', models.CharField(max_length=20)),
                ('candidates', models.JSONField()),
                ('flip', models.CharField(blank=True, max_length=300)),
            ],
            options={
                'indexes': [models.Index(fields=['demand_id', 'demand_kind'], name='inventory_decision_of_demand')],
            },
        ),
        migrations.CreateModel(
            name='Calendar',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=20, unique=True)),
                ('name', models.CharField(max_length=200)),
                ('country', models.CharField(blank=True, max_length=2)),
                ('weekdays', models.CharField(default='1111100', max_length=7)),
                ('cutoff', models.TimeField(blank=True, null=True)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('weekdays__regex', '^[01]{7}$'), models.Q(('weekdays', '0000000'), _negated=True)), name='inventory_calendar_works_some_day')],
            },
        ),
        migrations.CreateModel(
            name='CalendarDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('calendar', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='days', to='inventory.calendar')),
                ('day', models.DateField()),
                ('is_working', models.BooleanField(default=False)),
                ('name', models.CharField(blank=True, max_length=100)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('calendar', 'day'), name='inventory_calendarday_once_per_day')],
            },
        ),
        migrations.CreateModel(
            name='Node',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=20, unique=True)),
                ('name', models.CharField(max_length=200)),
                ('entity', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.entity')),
                ('country', models.CharField(max_length=2)),
                ('city', models.CharField(blank=True, max_length=100)),
                ('region', models.CharField(blank=True, max_length=100)),
                ('time_zone', models.CharField(default='UTC', max_length=50)),
                ('cutoff', models.TimeField(default=datetime.time(15, 0))),
                ('handling_days', models.PositiveSmallIntegerField(default=1)),
                ('calendar', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.calendar')),
                ('is_active', models.BooleanField(default=True)),
            ],
        ),
        migrations.CreateModel(
            name='Count',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(db_default=erp.kernel.fields.NextNumber('CC-', 'inventory_count_number'), max_length=20, unique=True)),
                ('entity', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.entity')),
                ('node', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.node')),
                ('state', django_fsm.FSMField(choices=[('open', 'To count'), ('recount', 'To recount'), ('review', 'In review'), ('approved', 'Approved'), ('posted', 'Posted'), ('cancelled', 'Cancelled')], default='open', max_length=50, protected=True)),
                ('cause', models.CharField(blank=True, max_length=200)),
                ('variance', erp.kernel.fields.AmountField(decimal_places=4, default=0, max_digits=19)),
                ('planned_at', models.DateTimeField()),
                ('planned_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('submitted_at', models.DateTimeField(blank=True, null=True)),
                ('approved_at', models.DateTimeField(blank=True, null=True)),
                ('approved_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('posted_at', models.DateTimeField(blank=True, null=True)),
                ('posted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('cancel_reason', models.CharField(blank=True, max_length=300)),
            ],
            options={
                'permissions': [('plan_count', 'Can plan and call off counts'), ('count_stock', 'Can count stock'), ('review_count', 'Can see what counts found'), ('approve_count', 'Can agree to what a count found'), ('post_count', 'Can post what a count found')],
                'indexes': [models.Index(condition=models.Q(('state__in', ['posted', 'cancelled']), _negated=True), fields=['entity', '-id'], name='inventory_count_open'), models.Index(fields=['entity', '-id'], name='inventory_count_newest')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['open', 'recount', 'review', 'approved', 'posted', 'cancelled'])), name='inventory_count_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('approved_at', None), ('state__in', ['open', 'recount', 'review', 'cancelled'])), models.Q(('approved_at__isnull', False), ('state__in', ['approved', 'posted'])), _connector='OR'), name='inventory_count_approved_at_is_set_once_approved'), models.CheckConstraint(condition=models.Q(models.Q(('posted_at__isnull', False), ('state', 'posted')), models.Q(models.Q(('state', 'posted'), _negated=True), ('posted_at', None)), _connector='OR'), name='inventory_count_posted_at_is_set_once_posted'), models.CheckConstraint(condition=models.Q(('variance__gte', 0)), name='inventory_count_variance_not_negative')],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        migrations.CreateModel(
            name='Lot',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lots', to='inventory.product')),
                ('code', models.CharField(max_length=40)),
                ('supplier_lot', models.CharField(blank=True, db_default='', max_length=40)),
                ('manufactured_on', models.DateField(blank=True, null=True)),
                ('expires_on', models.DateField(blank=True, null=True)),
                ('blocked_at', models.DateTimeField(blank=True, null=True)),
                ('block_reason', models.CharField(blank=True, db_default='', max_length=200)),
                ('warned_at', models.DateTimeField(blank=True, null=True)),
                ('expired_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'permissions': [('block_lot', 'Can block a lot and let it go again')],
                'indexes': [models.Index(fields=['code'], name='inventory_lot_of_code'), models.Index(condition=models.Q(('expired_at', None), ('expires_on__isnull', False)), fields=['expires_on'], name='inventory_lot_to_expire')],
                'constraints': [models.UniqueConstraint(fields=('product', 'code'), name='inventory_lot_per_product'), models.CheckConstraint(condition=models.Q(('code', ''), _negated=True), name='inventory_lot_has_a_code'), models.CheckConstraint(condition=models.Q(('manufactured_on', None), ('expires_on', None), ('expires_on__gte', models.F('manufactured_on')), _connector='OR'), name='inventory_lot_expires_after_it_is_made'), models.CheckConstraint(condition=models.Q(models.Q(('block_reason', ''), ('blocked_at', None)), models.Q(('blocked_at__isnull', False), models.Q(('block_reason', ''), _negated=True)), _connector='OR'), name='inventory_lot_says_why_it_is_blocked')],
            },
        ),
        migrations.CreateModel(
            name='Stock',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('entity', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.entity')),
                ('node', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.node')),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.product')),
                ('lot', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='balances', to='inventory.lot')),
                ('status', models.CharField(choices=[('available', 'Available'), ('inspection', 'In inspection'), ('quarantine', 'Quarantine'), ('damaged', 'Damaged'), ('in_transit', 'In transit')], default='available', max_length=12)),
                ('expires_on', models.DateField(blank=True, null=True)),
                ('is_barred', models.BooleanField(db_default=False, default=False)),
                ('on_hand', erp.kernel.fields.QuantityField(decimal_places=3, default=0, max_digits=15)),
                ('reserved', erp.kernel.fields.QuantityField(decimal_places=3, default=0, max_digits=15)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('lot__isnull', False)), fields=['lot'], name='inventory_stock_of_lot')],
                'constraints': [models.UniqueConstraint(fields=('product', 'node', 'entity', 'status', 'lot'), name='inventory_stock_once_per_key', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('reserved__gte', 0), ('reserved__lte', models.F('on_hand'))), name='inventory_stock_promises_only_what_is_there'), models.CheckConstraint(condition=models.Q(('on_hand__gte', 0)), name='inventory_stock_on_hand_not_negative'), models.CheckConstraint(condition=models.Q(('status', 'available'), ('reserved', 0), _connector='OR'), name='inventory_stock_reserves_only_available'), models.CheckConstraint(condition=models.Q(('status__in', ['available', 'inspection', 'quarantine', 'damaged', 'in_transit'])), name='inventory_stock_status_known')],
            },
        ),
        migrations.CreateModel(
            name='CountLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('count', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='inventory.count')),
                ('position', models.PositiveSmallIntegerField()),
                ('stock', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.stock')),
                ('snapshot', erp.kernel.fields.QuantityField(decimal_places=3, max_digits=15)),
                ('snapshot_move', models.BigIntegerField(default=0)),
                ('class_code', models.CharField(blank=True, max_length=1)),
                ('is_again', models.BooleanField(default=False)),
                ('earlier', erp.kernel.fields.QuantityField(blank=True, decimal_places=3, max_digits=15, null=True)),
                ('counted', erp.kernel.fields.QuantityField(blank=True, decimal_places=3, max_digits=15, null=True)),
                ('expected', erp.kernel.fields.QuantityField(blank=True, decimal_places=3, max_digits=15, null=True)),
                ('counted_at', models.DateTimeField(blank=True, null=True)),
                ('counted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('count', 'position'), name='inventory_countline_once_per_position'), models.UniqueConstraint(fields=('count', 'stock'), name='inventory_countline_once_per_stock'), models.CheckConstraint(condition=models.Q(models.Q(('counted', None), ('counted_at', None), ('expected', None)), models.Q(('counted__gte', 0), ('counted_at__isnull', False), ('expected__isnull', False)), _connector='OR'), name='inventory_countline_expected_with_its_count')],
            },
        ),
        migrations.CreateModel(
            name='Carrier',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=20, unique=True)),
                ('name', models.CharField(max_length=200)),
                ('currency', models.CharField(max_length=3)),
                ('base_rate', erp.kernel.fields.AmountField(decimal_places=4, default=0, max_digits=19)),
                ('rate_per_kg', erp.kernel.fields.AmountField(decimal_places=4, default=0, max_digits=19)),
                ('transit_days', models.PositiveSmallIntegerField(default=2)),
                ('phone', models.CharField(blank=True, max_length=40)),
                ('calendar', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.calendar')),
                ('is_active', models.BooleanField(default=True)),
            ],
        ),
        migrations.CreateModel(
            name='ProductUom',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='uoms', to='inventory.product')),
                ('code', models.CharField(max_length=10)),
                ('numerator', models.PositiveIntegerField()),
                ('denominator', models.PositiveIntegerField(default=1)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('product', 'code'), name='inventory_uom_per_product'), models.CheckConstraint(condition=models.Q(('denominator__gt', 0), ('numerator__gt', 0)), name='inventory_uom_above_zero')],
            },
        ),
        migrations.CreateModel(
            name='Substitute',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('product', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='substitutes', to='inventory.product')),
                ('other', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='inventory.product')),
                ('rank', models.PositiveSmallIntegerField(default=1)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('product', 'other'), name='inventory_substitute_once_per_pair'), models.CheckConstraint(condition=models.Q(('product', models.F('other')), _negated=True), name='inventory_substitute_is_another')],
            },
        ),
        migrations.CreateModel(
            name='Inbound',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('entity', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.entity')),
                ('product', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='inventory.product')),
                ('node', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.node')),
                ('source_kind', models.CharField(max_length=40)),
                ('source_id', models.BigIntegerField()),
                ('quantity', erp.kernel.fields.QuantityField(decimal_places=3, max_digits=15)),
                ('expected_date', models.DateField()),
                ('supplier_id', models.BigIntegerField(blank=True, null=True)),
                ('source_label', models.CharField(blank=True, db_default='', max_length=40)),
            ],
            options={
                'indexes': [models.Index(fields=['product', 'entity', 'expected_date'], name='inventory_inbound_of_product')],
                'constraints': [models.UniqueConstraint(fields=('source_id', 'source_kind'), name='inventory_inbound_once_per_source'), models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='inventory_inbound_above_zero')],
            },
        ),
        migrations.CreateModel(
            name='SupplierPace',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('supplier_id', models.BigIntegerField(unique=True)),
                ('p50_days', models.SmallIntegerField()),
                ('p90_days', models.SmallIntegerField()),
                ('samples', models.PositiveIntegerField()),
                ('told_at', models.DateTimeField()),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('p90_days__gte', models.F('p50_days'))), name='inventory_pace_is_in_order')],
            },
        ),
        migrations.CreateModel(
            name='Peg',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('inbound', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='pegs', to='inventory.inbound')),
                ('demand_kind', models.CharField(max_length=40)),
                ('demand_id', models.BigIntegerField()),
                ('quantity', erp.kernel.fields.QuantityField(decimal_places=3, max_digits=15)),
                ('pegged_at', models.DateTimeField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('demand_id', 'demand_kind', 'inbound'), name='inventory_peg_once_per_pair'), models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='inventory_peg_above_zero')],
            },
        ),
        migrations.CreateModel(
            name='StockMove',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('kind', models.CharField(choices=[('opening', 'Opening'), ('receipt', 'Receipt'), ('shipment', 'Shipment'), ('return', 'Return'), ('adjustment', 'Adjustment'), ('status', 'Status'), ('transfer', 'Transfer')], max_length=12)),
                ('entity', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.entity')),
                ('node', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.node')),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.product')),
                ('lot', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.lot')),
                ('status', models.CharField(choices=[('available', 'Available'), ('inspection', 'In inspection'), ('quarantine', 'Quarantine'), ('damaged', 'Damaged'), ('in_transit', 'In transit')], max_length=12)),
                ('quantity', erp.kernel.fields.QuantityField(decimal_places=3, max_digits=15)),
                ('value', erp.kernel.fields.AmountField(decimal_places=4, max_digits=19)),
                ('cause_kind', models.CharField(max_length=40)),
                ('cause_id', models.BigIntegerField()),
                ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['product', 'node', 'at'], name='inventory_move_of_product'), models.Index(condition=models.Q(('lot__isnull', False)), fields=['lot', 'id'], name='inventory_move_of_lot')],
                'constraints': [models.UniqueConstraint(fields=('cause_id', 'cause_kind', 'kind', 'status', 'node', 'lot'), name='inventory_move_once_per_cause', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('quantity', 0), _negated=True), name='inventory_move_moves')],
            },
        ),
        migrations.CreateModel(
            name='ProductCost',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('entity', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.entity')),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.product')),
                ('quantity', erp.kernel.fields.QuantityField(decimal_places=3, default=0, max_digits=15)),
                ('value', erp.kernel.fields.AmountField(decimal_places=4, default=0, max_digits=19)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('product', 'entity'), name='inventory_cost_once_per_entity'), models.CheckConstraint(condition=models.Q(('quantity__gte', 0), ('value__gte', 0)), name='inventory_cost_not_negative'), models.CheckConstraint(condition=models.Q(models.Q(('quantity', 0), _negated=True), ('value', 0), _connector='OR'), name='inventory_cost_of_nothing_is_zero')],
            },
        ),
        migrations.CreateModel(
            name='Reservation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('stock', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reservations', to='inventory.stock')),
                ('demand_kind', models.CharField(max_length=40)),
                ('demand_id', models.BigIntegerField()),
                ('quantity', erp.kernel.fields.QuantityField(decimal_places=3, max_digits=15)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(blank=True, null=True)),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('closed_as', models.CharField(blank=True, choices=[('shipped', 'Shipped'), ('released', 'Released')], max_length=10)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('closed_at', None)), fields=['stock'], name='inventory_reservation_open'), models.Index(condition=models.Q(('closed_at', None), ('expires_at__isnull', False)), fields=['expires_at'], name='inventory_reservation_lapsing')],
                'constraints': [models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='inventory_reservation_above_zero'), models.CheckConstraint(condition=models.Q(models.Q(('closed_as', ''), ('closed_at', None)), models.Q(('closed_at__isnull', False), models.Q(('closed_as', ''), _negated=True)), _connector='OR'), name='inventory_reservation_says_why_it_closed'), models.UniqueConstraint(condition=models.Q(('closed_at', None)), fields=('demand_id', 'demand_kind', 'stock'), name='inventory_reservation_one_open_per_demand')],
            },
        ),
        migrations.CreateModel(
            name='Adjustment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('entity', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.entity')),
                ('node', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.node')),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.product')),
                ('lot', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.lot')),
                ('status', models.CharField(choices=[('available', 'Available'), ('inspection', 'In inspection'), ('quarantine', 'Quarantine'), ('damaged', 'Damaged'), ('in_transit', 'In transit')], max_length=12)),
                ('quantity', erp.kernel.fields.QuantityField(decimal_places=3, max_digits=15)),
                ('value', erp.kernel.fields.AmountField(decimal_places=4, max_digits=19)),
                ('reason', models.CharField(max_length=200)),
                ('posted_at', models.DateTimeField()),
                ('posted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'permissions': [('adjust_stock', 'Can adjust stock')],
                'constraints': [models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='inventory_adjustment_has_reason'), models.CheckConstraint(condition=models.Q(('quantity', 0), _negated=True), name='inventory_adjustment_adjusts')],
            },
        ),
        migrations.CreateModel(
            name='Receipt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(db_default=erp.kernel.fields.NextNumber('RC-', 'inventory_receipt_number'), max_length=20, unique=True)),
                ('entity', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.entity')),
                ('node', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.node')),
                ('source_kind', models.CharField(max_length=40)),
                ('source_id', models.BigIntegerField()),
                ('received_at', models.DateTimeField()),
                ('received_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'permissions': [('receive_goods', 'Can receive goods')],
                'indexes': [models.Index(fields=['source_id', 'source_kind'], name='inventory_receipt_of_source')],
            },
        ),
        migrations.CreateModel(
            name='ReceiptLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('receipt', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='inventory.receipt')),
                ('source_line_id', models.BigIntegerField()),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.product')),
                ('lot', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.lot')),
                ('status', models.CharField(choices=[('available', 'Available'), ('inspection', 'In inspection'), ('quarantine', 'Quarantine'), ('damaged', 'Damaged'), ('in_transit', 'In transit')], default='available', max_length=12)),
                ('quantity', erp.kernel.fields.QuantityField(decimal_places=3, max_digits=15)),
                ('value', erp.kernel.fields.AmountField(decimal_places=4, max_digits=19)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('lot__isnull', False)), fields=['lot'], name='inventory_receiptline_of_lot')],
                'constraints': [models.CheckConstraint(condition=models.Q(('quantity__gt', 0), ('value__gte', 0)), name='inventory_receiptline_above_zero')],
            },
        ),
        migrations.CreateModel(
            name='Shipment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(db_default=erp.kernel.fields.NextNumber('SH-', 'inventory_shipment_number'), max_length=20, unique=True)),
                ('entity', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.entity')),
                ('node', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.node')),
                ('source_kind', models.CharField(max_length=40)),
                ('source_id', models.BigIntegerField()),
                ('source_number', models.CharField(max_length=40)),
                ('carrier', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.carrier')),
                ('state', django_fsm.FSMField(choices=[('planned', 'To pick'), ('picked', 'Picked'), ('packed', 'Packed'), ('shipped', 'Shipped'), ('delivered', 'Delivered'), ('failed', 'Failed'), ('void', 'Void')], default='planned', max_length=50, protected=True)),
                ('ship_to', models.JSONField(default=dict)),
                ('planned_date', models.DateField()),
                ('promised_date', models.DateField(blank=True, null=True)),
                ('created_at', models.DateTimeField()),
                ('picked_at', models.DateTimeField(blank=True, null=True)),
                ('picked_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('packed_at', models.DateTimeField(blank=True, null=True)),
                ('shipped_at', models.DateTimeField(blank=True, null=True)),
                ('shipped_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('delivered_at', models.DateTimeField(blank=True, null=True)),
                ('tracking_number', models.CharField(blank=True, max_length=60)),
                ('cartons', models.PositiveSmallIntegerField(default=0)),
                ('weight', models.DecimalField(decimal_places=3, default=0, max_digits=12)),
                ('freight_cost', erp.kernel.fields.AmountField(decimal_places=4, default=0, max_digits=19)),
                ('failure', models.CharField(blank=True, max_length=200)),
            ],
            options={
                'permissions': [('pick_shipment', 'Can pick a shipment'), ('pack_shipment', 'Can pack a shipment'), ('ship_shipment', 'Can confirm that a shipment left')],
                'indexes': [models.Index(fields=['source_id', 'source_kind'], name='inventory_shipment_of_order'), models.Index(condition=models.Q(('state__in', ['planned', 'picked', 'packed'])), fields=['node', 'planned_date', 'id'], name='inventory_shipment_to_do'), models.Index(fields=['entity', '-id'], name='inventory_shipment_newest')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['planned', 'picked', 'packed', 'shipped', 'delivered', 'failed', 'void'])), name='inventory_shipment_state_known'), models.CheckConstraint(condition=models.Q(('state__in', ['planned', 'void']), ('picked_at__isnull', False), _connector='OR'), name='inventory_shipment_picked_at_is_set_once_picked'), models.CheckConstraint(condition=models.Q(models.Q(('shipped_at__isnull', False), ('state__in', ['shipped', 'delivered', 'failed'])), models.Q(('shipped_at', None), ('state__in', ['planned', 'picked', 'packed', 'void'])), _connector='OR'), name='inventory_shipment_shipped_at_is_set_once_shipped')],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        migrations.CreateModel(
            name='ShipmentLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('shipment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='inventory.shipment')),
                ('demand_kind', models.CharField(max_length=40)),
                ('demand_id', models.BigIntegerField()),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.product')),
                ('stock', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.stock')),
                ('quantity', erp.kernel.fields.QuantityField(decimal_places=3, max_digits=15)),
                ('picked', erp.kernel.fields.QuantityField(blank=True, decimal_places=3, max_digits=15, null=True)),
                ('short_reason', models.CharField(blank=True, choices=[('not_found', 'Not found'), ('mismatch', 'Wrong count'), ('damaged', 'Damaged'), ('expired', 'Expired'), ('mislocated', 'In another place')], max_length=12)),
                ('cost', erp.kernel.fields.AmountField(blank=True, decimal_places=4, max_digits=19, null=True)),
            ],
            options={
                'indexes': [models.Index(fields=['demand_id', 'demand_kind'], name='inventory_shipline_of_demand')],
                'constraints': [models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='inventory_shipmentline_above_zero'), models.CheckConstraint(condition=models.Q(('picked', None), models.Q(('picked__gte', 0), ('picked__lte', models.F('quantity'))), _connector='OR'), name='inventory_shipmentline_picks_at_most_planned'), models.UniqueConstraint(fields=('shipment', 'demand_kind', 'demand_id', 'stock'), name='inventory_shipmentline_once_per_demand')],
            },
        ),
        migrations.CreateModel(
            name='Carton',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('shipment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='boxes', to='inventory.shipment')),
                ('number', models.PositiveSmallIntegerField()),
                ('sscc', models.CharField(max_length=18, unique=True)),
                ('weight', models.DecimalField(decimal_places=3, default=0, max_digits=12)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('shipment', 'number'), name='inventory_carton_once_per_shipment')],
            },
        ),
        migrations.CreateModel(
            name='Lane',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('origin', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='lanes_out', to='inventory.node')),
                ('destination', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lanes_in', to='inventory.node')),
                ('days', models.PositiveSmallIntegerField()),
                ('cost', erp.kernel.fields.AmountField(decimal_places=4, default=0, max_digits=19)),
                ('currency', models.CharField(max_length=3)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('origin', 'destination'), name='inventory_lane_once_per_pair'), models.CheckConstraint(condition=models.Q(('origin', models.F('destination')), _negated=True), name='inventory_lane_leads_elsewhere'), models.CheckConstraint(condition=models.Q(('cost__gte', 0)), name='inventory_lane_cost_not_negative')],
            },
        ),
        migrations.CreateModel(
            name='Transfer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(db_default=erp.kernel.fields.NextNumber('TR-', 'inventory_transfer_number'), max_length=20, unique=True)),
                ('entity', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.entity')),
                ('to_entity', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.entity')),
                ('origin', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.node')),
                ('destination', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.node')),
                ('state', django_fsm.FSMField(choices=[('requested', 'Requested'), ('approved', 'Approved'), ('picked', 'Picked'), ('in_transit', 'In transit'), ('received', 'Received'), ('closed', 'Closed'), ('cancelled', 'Cancelled')], default='requested', max_length=50, protected=True)),
                ('reason', models.CharField(max_length=300)),
                ('value', erp.kernel.fields.AmountField(decimal_places=4, default=0, max_digits=19)),
                ('expected_date', models.DateField()),
                ('client_key', models.CharField(blank=True, max_length=255)),
                ('requested_at', models.DateTimeField()),
                ('requested_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('approved_at', models.DateTimeField(blank=True, null=True)),
                ('approved_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('picked_at', models.DateTimeField(blank=True, null=True)),
                ('picked_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('shipped_at', models.DateTimeField(blank=True, null=True)),
                ('shipped_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('received_at', models.DateTimeField(blank=True, null=True)),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('cancel_reason', models.CharField(blank=True, max_length=300)),
            ],
            options={
                'permissions': [('request_transfer', 'Can ask for a transfer'), ('approve_transfer', 'Can agree to a transfer of value'), ('move_transfer', 'Can pick, send and receive a transfer'), ('settle_transfer', 'Can say what became of goods missing on the way')],
                'indexes': [models.Index(condition=models.Q(('state__in', ['closed', 'cancelled']), _negated=True), fields=['entity', '-id'], name='inventory_transfer_open'), models.Index(fields=['entity', '-id'], name='inventory_transfer_newest'), models.Index(condition=models.Q(('state__in', ['closed', 'cancelled']), _negated=True), fields=['origin', 'destination'], name='inventory_transfer_of_pair')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['requested', 'approved', 'picked', 'in_transit', 'received', 'closed', 'cancelled'])), name='inventory_transfer_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('origin', models.F('destination')), _negated=True), models.Q(('entity', models.F('to_entity')), _negated=True), _connector='OR'), name='inventory_transfer_changes_place_or_owner'), models.CheckConstraint(condition=models.Q(('state__in', ['requested', 'cancelled']), ('approved_at__isnull', False), _connector='OR'), name='inventory_transfer_approved_at_is_set_once_approved'), models.CheckConstraint(condition=models.Q(('state__in', ['requested', 'approved', 'cancelled']), ('picked_at__isnull', False), _connector='OR'), name='inventory_transfer_picked_at_is_set_once_picked'), models.CheckConstraint(condition=models.Q(models.Q(('shipped_at__isnull', False), ('state__in', ['in_transit', 'received', 'closed'])), models.Q(('shipped_at', None), ('state__in', ['requested', 'approved', 'picked', 'cancelled'])), _connector='OR'), name='inventory_transfer_shipped_at_is_set_once_shipped'), models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', False), ('state', 'closed')), models.Q(models.Q(('state', 'closed'), _negated=True), ('closed_at', None)), _connector='OR'), name='inventory_transfer_closed_at_is_set_once_closed'), models.CheckConstraint(condition=models.Q(('state', 'cancelled'), ('cancel_reason', ''), _connector='OR'), name='inventory_transfer_says_why_it_was_cancelled'), models.UniqueConstraint(condition=models.Q(('client_key', ''), _negated=True), fields=('entity', 'client_key'), name='inventory_transfer_once_per_client_key')],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        migrations.CreateModel(
            name='TransferLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('transfer', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='inventory.transfer')),
                ('position', models.PositiveSmallIntegerField()),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.product')),
                ('quantity', erp.kernel.fields.QuantityField(decimal_places=3, max_digits=15)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('transfer', 'position'), name='inventory_transferline_once_per_position'), models.UniqueConstraint(fields=('transfer', 'product'), name='inventory_transferline_once_per_product'), models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='inventory_transferline_above_zero')],
            },
        ),
        migrations.CreateModel(
            name='TransferPiece',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='pieces', to='inventory.transferline')),
                ('stock', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.stock')),
                ('quantity', erp.kernel.fields.QuantityField(decimal_places=3, max_digits=15)),
                ('cost', erp.kernel.fields.AmountField(blank=True, decimal_places=4, max_digits=19, null=True)),
                ('price', erp.kernel.fields.AmountField(blank=True, decimal_places=4, max_digits=19, null=True)),
                ('landed', erp.kernel.fields.AmountField(blank=True, decimal_places=4, max_digits=19, null=True)),
                ('received', erp.kernel.fields.QuantityField(db_default=0, decimal_places=3, default=0, max_digits=15)),
                ('damaged', erp.kernel.fields.QuantityField(db_default=0, decimal_places=3, default=0, max_digits=15)),
                ('returned', erp.kernel.fields.QuantityField(db_default=0, decimal_places=3, default=0, max_digits=15)),
                ('lost', erp.kernel.fields.QuantityField(db_default=0, decimal_places=3, default=0, max_digits=15)),
                ('over', erp.kernel.fields.QuantityField(db_default=0, decimal_places=3, default=0, max_digits=15)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('line', 'stock'), name='inventory_transferpiece_once_per_stock'), models.CheckConstraint(condition=models.Q(('damaged__gte', 0), ('lost__gte', 0), ('over__gte', 0), ('quantity__gt', 0), ('received__gte', 0), ('returned__gte', 0)), name='inventory_transferpiece_not_negative'), models.CheckConstraint(condition=models.Q(('quantity__gte', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('received'), '+', models.F('damaged')), '+', models.F('returned')), '+', models.F('lost')))), name='inventory_transferpiece_comes_once')],
            },
        ),
        migrations.CreateModel(
            name='TransferReceipt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('transfer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='receipts', to='inventory.transfer')),
                ('at', models.DateTimeField()),
                ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('note', models.CharField(blank=True, max_length=300)),
            ],
        ),
        migrations.CreateModel(
            name='TransferReceiptLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('receipt', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='inventory.transferreceipt')),
                ('piece', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='receipts', to='inventory.transferpiece')),
                ('outcome', models.CharField(choices=[('received', 'Received'), ('damaged', 'Damaged'), ('returned', 'Back at the origin'), ('lost', 'Lost'), ('over', 'More than was sent')], max_length=10)),
                ('quantity', erp.kernel.fields.QuantityField(decimal_places=3, max_digits=15)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='inventory_transferreceiptline_above_zero'), models.CheckConstraint(condition=models.Q(('outcome__in', ['received', 'damaged', 'returned', 'lost', 'over'])), name='inventory_transferreceiptline_outcome_known')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='product',
            trigger=pgtrigger.compiler.Trigger(name='keeps_its_tracking', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."tracking" IS DISTINCT FROM (NEW."tracking"))', func="\n    IF EXISTS (SELECT FROM inventory_stock WHERE product_id = NEW.id AND on_hand > 0) THEN\n        RAISE check_violation USING MESSAGE = 'a product that lies in stock keeps its tracking';\n    END IF;\n    RETURN NEW;\n", hash='cee54cbdb2e33f749b782a56b4ce2a981692ca66', operation='UPDATE OF "tracking"', pgid='pgtrigger_keeps_its_tracking_0b013', table='inventory_product', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='lot',
            trigger=pgtrigger.compiler.Trigger(name='tells_its_balances', sql=pgtrigger.compiler.UpsertTriggerSql(func='\n    PERFORM FROM inventory_stock WHERE lot_id = NEW.id ORDER BY id FOR UPDATE;\n    UPDATE inventory_stock\n    SET expires_on = NEW.expires_on,\n        is_barred = NEW.blocked_at IS NOT NULL OR NEW.expired_at IS NOT NULL\n    WHERE lot_id = NEW.id;\n    RETURN NULL;\n', hash='298838614e4ac1a3ae33a443de8a206c8abf9f3a', operation='UPDATE OF "expires_on", "blocked_at", "expired_at"', pgid='pgtrigger_tells_its_balances_a0aa2', table='inventory_lot', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='allocationdecision',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='c05b997cb96734f537ca8919eb86b03cc23d1ab7', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_ef2ff', table='inventory_allocationdecision', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='stock',
            trigger=pgtrigger.compiler.Trigger(name='knows_its_lot', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    IF (SELECT tracking = 'lot' FROM inventory_product WHERE id = NEW.product_id)\n        IS DISTINCT FROM (NEW.lot_id IS NOT NULL)\n    THEN\n        RAISE check_violation USING MESSAGE = 'what is tracked by lot lies in lots, others do not';\n    END IF;\n\n    IF NEW.lot_id IS NOT NULL THEN\n        SELECT l.expires_on, l.blocked_at IS NOT NULL OR l.expired_at IS NOT NULL\n            INTO NEW.expires_on, NEW.is_barred\n        FROM inventory_lot l WHERE l.id = NEW.lot_id AND l.product_id = NEW.product_id FOR SHARE;\n        IF NOT FOUND THEN\n            RAISE check_violation USING MESSAGE = 'a lot is of one product';\n        END IF;\n    END IF;\n    RETURN NEW;\n", hash='822c16eaf2f40214a22adb25871fa23e48a55713', operation='INSERT OR UPDATE OF "product_id", "lot_id"', pgid='pgtrigger_knows_its_lot_9ce6a', table='inventory_stock', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='stock',
            trigger=pgtrigger.compiler.Trigger(name='takes_in_by_lot', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."on_hand" > 0 AND OLD."on_hand" = 0)', func="\n    IF (SELECT tracking = 'lot' FROM inventory_product WHERE id = NEW.product_id)\n        IS DISTINCT FROM (NEW.lot_id IS NOT NULL)\n    THEN\n        RAISE check_violation USING MESSAGE = 'what is tracked by lot lies in lots, others do not';\n    END IF;\n    RETURN NEW;", hash='1e66b17528832a83e8b021919fee72fb8394f7f0', operation='UPDATE OF "on_hand"', pgid='pgtrigger_takes_in_by_lot_b2a24', table='inventory_stock', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='stock',
            trigger=pgtrigger.compiler.Trigger(name='refuses_barred', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."is_barred" AND NEW."reserved" > (OLD."reserved"))', func="\n    RAISE check_violation USING MESSAGE = 'nothing of a blocked or expired lot is promised';\n", hash='7bad94bcc8233156aabea1f6e08f90a7faf3e12d', operation='UPDATE OF "reserved"', pgid='pgtrigger_refuses_barred_fda9c', table='inventory_stock', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='stockmove',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='5e00c0009ddbc28f03f3bd8993779dbf81ce6e73', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_4eef3', table='inventory_stockmove', when='BEFORE')),
        ),
        *(
            migrations.RunSQL(
                f"ALTER TABLE {table} SET (fillfactor = 60)",
                f"ALTER TABLE {table} RESET (fillfactor)",
            )
            for table in HOT
        ),
    ]
