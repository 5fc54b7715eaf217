import django.db.models.deletion
import django.db.models.functions.text
import django_fsm
import erp.kernel.fields
from django.conf import settings
from django.db import migrations, models
from erp.kernel.folding import Folded


class Migration(migrations.Migration):

    initial = True

    # What a database that grew step by step has applied already.
    replaces = [
        ('procurement', '0001_initial'),
        ('procurement', '0002_supplier_calendar'),
    ]

    dependencies = [
        ('accounts', '0001_initial'),
        ('inventory', '0001_schema'),
    ]

    operations = [Folded([
        migrations.CreateModel(
            name='Supplier',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=40, unique=True)),
                ('name', models.CharField(max_length=200)),
                ('country', models.CharField(blank=True, max_length=60)),
                ('city', models.CharField(blank=True, max_length=100)),
                ('address', models.CharField(blank=True, max_length=200)),
                ('region', models.CharField(blank=True, max_length=100)),
                ('postal_code', models.CharField(blank=True, max_length=20)),
                ('contact', models.CharField(blank=True, max_length=120)),
                ('email', models.EmailField(blank=True, max_length=254)),
                ('phone', models.CharField(blank=True, max_length=40)),
                ('is_blocked', models.BooleanField(default=False)),
                ('calendar', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.calendar')),
            ],
            options={
                'indexes': [models.Index(django.db.models.functions.text.Upper('name'), name='procurement_supplier_name')],
                'constraints': [models.CheckConstraint(condition=models.Q(('code', ''), _negated=True), name='procurement_supplier_has_a_code')],
            },
        ),
        migrations.CreateModel(
            name='SupplierProduct',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('supplier', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='offers', to='procurement.supplier')),
                ('entity', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.entity')),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.product')),
                ('currency', models.CharField(max_length=3)),
                ('unit_price', erp.kernel.fields.AmountField(decimal_places=4, max_digits=19)),
                ('moq', erp.kernel.fields.QuantityField(decimal_places=3, default=1, max_digits=15)),
                ('multiple', erp.kernel.fields.QuantityField(decimal_places=3, default=1, max_digits=15)),
                ('lead_time_days', models.PositiveSmallIntegerField(default=7)),
                ('rank', models.PositiveSmallIntegerField(default=1)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('product', 'entity', 'supplier'), name='procurement_offer_once_per_entity'), models.CheckConstraint(condition=models.Q(('moq__gte', 0), ('multiple__gt', 0), ('unit_price__gte', 0)), name='procurement_offer_is_sane')],
            },
        ),
        migrations.CreateModel(
            name='ReplenishmentRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('entity', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.entity')),
                ('node', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.node')),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.product')),
                ('reorder_point', erp.kernel.fields.QuantityField(decimal_places=3, max_digits=15)),
                ('order_up_to', erp.kernel.fields.QuantityField(decimal_places=3, max_digits=15)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('product', 'node', 'entity'), name='procurement_rule_once_per_key'), models.CheckConstraint(condition=models.Q(('reorder_point__gte', 0), ('order_up_to__gt', models.F('reorder_point'))), name='procurement_rule_orders_above_its_point')],
            },
        ),
        migrations.CreateModel(
            name='WaitingDemand',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('demand_kind', models.CharField(max_length=40)),
                ('demand_id', models.BigIntegerField()),
                ('entity', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.entity')),
                ('node', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.node')),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.product')),
                ('quantity', erp.kernel.fields.QuantityField(decimal_places=3, max_digits=15)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('demand_id', 'demand_kind'), name='procurement_waiting_once_per_demand'), models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='procurement_waiting_above_zero')],
            },
        ),
        migrations.CreateModel(
            name='PurchaseProposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('entity', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.entity')),
                ('node', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.node')),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.product')),
                ('supplier', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='procurement.supplier')),
                ('quantity', erp.kernel.fields.QuantityField(decimal_places=3, max_digits=15)),
                ('unit_price', erp.kernel.fields.AmountField(decimal_places=4, max_digits=19)),
                ('currency', models.CharField(max_length=3)),
                ('need_by', models.DateField()),
                ('reasons', models.JSONField(default=dict)),
                ('state', django_fsm.FSMField(choices=[('open', 'Open'), ('accepted', 'Accepted'), ('rejected', 'Rejected')], default='open', max_length=50, protected=True)),
                ('created_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('decision_reason', models.CharField(blank=True, max_length=200)),
            ],
            options={
                'permissions': [('decide_proposal', 'Can accept or reject a proposal')],
                'indexes': [models.Index(condition=models.Q(('state', 'open')), fields=['entity', 'need_by', 'id'], name='procurement_proposal_open')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('product', 'node', 'entity'), name='procurement_proposal_one_open_per_need'), models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='procurement_proposal_above_zero'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('state', 'open')), models.Q(models.Q(('state', 'open'), _negated=True), ('decided_at__isnull', False)), _connector='OR'), name='procurement_proposal_decided_at_is_set_once_decided'), models.CheckConstraint(condition=models.Q(('state__in', ['open', 'accepted', 'rejected'])), name='procurement_proposal_state_known')],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        migrations.CreateModel(
            name='PurchaseOrder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(db_default=erp.kernel.fields.NextNumber('PO-', 'procurement_order_number'), max_length=20, unique=True)),
                ('entity', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.entity')),
                ('node', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.node')),
                ('supplier', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='orders', to='procurement.supplier')),
                ('currency', models.CharField(max_length=3)),
                ('state', django_fsm.FSMField(choices=[('draft', 'Draft'), ('pending', 'Waits for approval'), ('approved', 'Approved'), ('sent', 'Sent'), ('acknowledged', 'Acknowledged'), ('partly_received', 'Partly received'), ('received', 'Received'), ('closed', 'Closed'), ('cancelled', 'Cancelled')], default='draft', max_length=50, protected=True)),
                ('expected_date', models.DateField()),
                ('total', erp.kernel.fields.AmountField(decimal_places=4, default=0, max_digits=19)),
                ('created_at', models.DateTimeField()),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('submitted_at', models.DateTimeField(blank=True, null=True)),
                ('submitted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('approved_at', models.DateTimeField(blank=True, null=True)),
                ('approved_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('acknowledged_at', models.DateTimeField(blank=True, null=True)),
                ('received_at', models.DateTimeField(blank=True, null=True)),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('close_reason', models.CharField(blank=True, max_length=200)),
            ],
            options={
                'permissions': [('write_purchase_order', 'Can write a purchase order'), ('approve_purchase_order', 'Can approve a purchase order'), ('approve_large_purchase_order', 'Can approve a large purchase order'), ('send_purchase_order', 'Can send a purchase order')],
                'indexes': [models.Index(fields=['entity', '-id'], name='procurement_order_newest'), models.Index(condition=models.Q(('state__in', ['sent', 'acknowledged', 'partly_received'])), fields=['node', 'expected_date'], name='procurement_order_incoming')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'pending', 'approved', 'sent', 'acknowledged', 'partly_received', 'received', 'closed', 'cancelled'])), name='procurement_order_state_known'), models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'pending', 'cancelled']), ('approved_at__isnull', False), _connector='OR'), name='procurement_order_approved_at_is_set_once_approved'), models.CheckConstraint(condition=models.Q(('approved_by', None), models.Q(models.Q(('approved_by', models.F('submitted_by')), _negated=True), models.Q(('approved_by', models.F('created_by')), _negated=True)), _connector='OR'), name='procurement_order_approved_by_somebody_else')],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        migrations.CreateModel(
            name='PurchaseOrderLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='procurement.purchaseorder')),
                ('position', models.PositiveSmallIntegerField()),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.product')),
                ('proposal', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='procurement.purchaseproposal')),
                ('quantity', erp.kernel.fields.QuantityField(decimal_places=3, max_digits=15)),
                ('received', erp.kernel.fields.QuantityField(decimal_places=3, default=0, max_digits=15)),
                ('unit_price', erp.kernel.fields.AmountField(decimal_places=4, max_digits=19)),
                ('expected_date', models.DateField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('order', 'position'), name='procurement_orderline_one_per_position'), models.CheckConstraint(condition=models.Q(('quantity__gt', 0), ('received__gte', 0), ('unit_price__gte', 0)), name='procurement_orderline_is_sane'), models.UniqueConstraint(condition=models.Q(('proposal__isnull', False)), fields=('proposal',), name='procurement_orderline_once_per_proposal')],
            },
        ),
    ])]
