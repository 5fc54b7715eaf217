import django.db.models.deletion
from django.db import migrations, models
from erp.kernel.folding import Folded


class Migration(migrations.Migration):

    initial = True

    # What a database that grew step by step has applied already.
    replaces = [
        ('outbox', '0001_initial'),
        ('outbox', '0002_storage'),
    ]

    dependencies = [
    ]

    operations = [Folded([
        migrations.CreateModel(
            name='Message',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100)),
                ('key', models.CharField(blank=True, max_length=100)),
                ('entity_id', models.BigIntegerField(blank=True, null=True)),
                ('payload', models.JSONField()),
                ('published_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('message', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='outbox.message')),
                ('handler', models.CharField(max_length=100)),
                ('key', models.CharField(blank=True, max_length=100)),
                ('status', models.CharField(choices=[('pending', 'Pending'), ('done', 'Done'), ('dead', 'Dead')], default='pending', max_length=10)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('due_at', models.DateTimeField(blank=True, null=True)),
                ('claimed_at', models.DateTimeField(blank=True, null=True)),
                ('settled_at', models.DateTimeField(blank=True, null=True)),
                ('last_error', models.TextField(blank=True)),
            ],
            options={
                'verbose_name_plural': 'deliveries',
                'indexes': [models.Index(condition=models.Q(('status', 'pending')), fields=['id'], name='outbox_delivery_pending'), models.Index(condition=models.Q(('status', 'pending'), models.Q(('key', ''), _negated=True)), fields=['handler', 'key', 'id'], name='outbox_delivery_in_order'), models.Index(condition=models.Q(('status', 'dead')), fields=['settled_at'], name='outbox_delivery_dead')],
                'constraints': [models.UniqueConstraint(fields=('message', 'handler'), name='outbox_delivery_once_per_handler'), models.CheckConstraint(condition=models.Q(('status__in', ['pending', 'done', 'dead'])), name='outbox_delivery_status_is_known'), models.CheckConstraint(condition=models.Q(('status', 'pending'), models.Q(('claimed_at', None), ('settled_at__isnull', False)), _connector='OR'), name='outbox_delivery_is_settled_once_it_is_over')],
            },
        ),
        migrations.CreateModel(
            name='InboxMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(max_length=100)),
                ('message_id', models.CharField(max_length=255)),
                ('received_at', models.DateTimeField()),
            ],
            options={
                'indexes': [models.Index(fields=['received_at'], name='outbox_inbox_by_time')],
                'constraints': [models.UniqueConstraint(fields=('source', 'message_id'), name='outbox_inbox_once_per_source')],
            },
        ),
        # The queue's rows change twice in their life: leave room on the page, and clean up early.
        migrations.RunSQL(
            "ALTER TABLE outbox_delivery SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, "
            "autovacuum_vacuum_threshold = 5000, autovacuum_analyze_scale_factor = 0, "
            "autovacuum_analyze_threshold = 20000)",
            "ALTER TABLE outbox_delivery RESET (fillfactor, autovacuum_vacuum_scale_factor, "
            "autovacuum_vacuum_threshold, autovacuum_analyze_scale_factor, "
            "autovacuum_analyze_threshold)",
        ),
    ])]
