import django.db.models.deletion
import django_fsm
from django.conf import settings
from django.db import migrations, models
from erp.kernel.folding import Folded


class Migration(migrations.Migration):

    initial = True

    # What a database that grew step by step has applied already.
    replaces = [
        ('partners', '0001_initial'),
        ('partners', '0002_webhooks'),
    ]

    dependencies = [
        ('accounts', '0001_initial'),
    ]

    operations = [Folded([
        migrations.CreateModel(
            name='ImportJob',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('entity', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.entity')),
                ('kind', models.CharField(blank=True, max_length=30)),
                ('profile', models.CharField(blank=True, max_length=60)),
                ('state', django_fsm.FSMField(choices=[('uploaded', 'Uploaded'), ('checked', 'Checked'), ('running', 'Running'), ('done', 'Done'), ('failed', 'Failed'), ('undone', 'Undone')], default='uploaded', max_length=50, protected=True)),
                ('rows_total', models.PositiveIntegerField(default=0)),
                ('rows_done', models.PositiveIntegerField(default=0)),
                ('rows_wrong', models.PositiveIntegerField(default=0)),
                ('step', models.PositiveSmallIntegerField(default=0)),
                ('position', models.PositiveIntegerField(default=0)),
                ('created_count', models.PositiveIntegerField(default=0)),
                ('updated_count', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('started_at', models.DateTimeField(blank=True, null=True)),
                ('heartbeat_at', models.DateTimeField(blank=True, null=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('message', models.CharField(blank=True, max_length=500)),
            ],
            options={
                'permissions': [('run_import', 'Can import files')],
                'indexes': [models.Index(fields=['entity', '-id'], name='partners_import_newest')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['uploaded', 'checked', 'running', 'done', 'failed', 'undone'])), name='partners_import_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('kind', ''), _negated=True), models.Q(('profile', ''), _negated=True), _connector='OR'), name='partners_import_says_what_it_loads')],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        migrations.CreateModel(
            name='ImportEffect',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('job', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='effects', to='partners.importjob')),
                ('model', models.CharField(max_length=60)),
                ('object_id', models.BigIntegerField()),
                ('before', models.JSONField(null=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('job', 'model', 'object_id'), name='partners_effect_once_per_import')],
            },
        ),
        migrations.CreateModel(
            name='ImportFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('job', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='files', to='partners.importjob')),
                ('name', models.CharField(max_length=200)),
                ('content', models.BinaryField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('job', 'name'), name='partners_file_once_per_import')],
            },
        ),
        migrations.CreateModel(
            name='ImportIssue',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('job', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='issues', to='partners.importjob')),
                ('file', models.CharField(max_length=200)),
                ('row', models.PositiveIntegerField()),
                ('column', models.CharField(blank=True, max_length=60)),
                ('message', models.CharField(max_length=400)),
            ],
            options={
                'indexes': [models.Index(fields=['job', 'row'], name='partners_issue_of_import')],
            },
        ),
        migrations.CreateModel(
            name='Webhook',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('entity', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.entity')),
                ('name', models.CharField(max_length=100)),
                ('url', models.CharField(max_length=500)),
                ('events', models.JSONField(default=list)),
                ('secret', models.CharField(max_length=80)),
                ('former_secret', models.CharField(blank=True, max_length=80)),
                ('former_until', models.DateTimeField(blank=True, null=True)),
                ('paused_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField()),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'permissions': [('tell_outside', 'Can say which systems are told of facts')],
                'constraints': [models.UniqueConstraint(fields=('entity', 'name'), name='partners_webhook_once'), models.CheckConstraint(condition=models.Q(models.Q(('former_secret', ''), ('former_until', None)), models.Q(('former_until__isnull', False), models.Q(('former_secret', ''), _negated=True)), _connector='OR'), name='partners_webhook_former_secret_ends')],
            },
        ),
        migrations.CreateModel(
            name='WebhookDelivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('webhook', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='partners.webhook')),
                ('event_id', models.CharField(max_length=80)),
                ('event', models.CharField(max_length=100)),
                ('key', models.CharField(blank=True, max_length=100)),
                ('body', models.JSONField()),
                ('state', django_fsm.FSMField(choices=[('pending', 'On its way'), ('sent', 'Taken'), ('dead', 'Given up')], default='pending', max_length=50, protected=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('due_at', models.DateTimeField()),
                ('claimed_until', models.DateTimeField(blank=True, null=True)),
                ('settled_at', models.DateTimeField(blank=True, null=True)),
                ('last_status', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('last_said', models.CharField(blank=True, max_length=500)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state', 'pending')), fields=['due_at'], name='partners_telling_due'), models.Index(condition=models.Q(('state', 'pending')), fields=['webhook', 'key', 'id'], name='partners_telling_in_order'), models.Index(fields=['webhook', '-id'], name='partners_telling_newest')],
                'constraints': [models.UniqueConstraint(fields=('webhook', 'event_id'), name='partners_telling_once_per_fact'), models.CheckConstraint(condition=models.Q(('state__in', ['pending', 'sent', 'dead'])), name='partners_telling_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('settled_at', None), ('state', 'pending')), models.Q(('settled_at__isnull', False), ('state__in', ['sent', 'dead'])), _connector='OR'), name='partners_telling_settled_at_is_set_once_settled')],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
    ])]
