import django.db.models.deletion
import django.db.models.expressions
import django_fsm
import erp.kernel.fields
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    # What a database that grew step by step has applied already.
    replaces = [
        ('exceptions', '0001_initial'),
        ('exceptions', '0002_attributed_time'),
    ]

    dependencies = [
        ('accounts', '0001_initial'),
        ('orders', '0001_schema'),
    ]

    operations = [
        migrations.CreateModel(
            name='ExceptionCase',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('type', models.CharField(max_length=60)),
                ('subject_kind', models.CharField(max_length=40)),
                ('subject_id', models.BigIntegerField()),
                ('subject_label', models.CharField(max_length=120)),
                ('entity', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.entity')),
                ('order', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orders.order')),
                ('parent', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='exceptions.exceptioncase')),
                ('is_merged', models.BooleanField(db_default=False, default=False)),
                ('cause_kind', models.CharField(blank=True, db_default='', max_length=40)),
                ('cause_id', models.BigIntegerField(blank=True, null=True)),
                ('party', models.CharField(blank=True, max_length=200)),
                ('tier', models.CharField(blank=True, max_length=1)),
                ('summary', models.CharField(max_length=300)),
                ('severity', models.PositiveSmallIntegerField(default=4)),
                ('expected_loss', erp.kernel.fields.AmountField(decimal_places=4, default=0, max_digits=19)),
                ('rank', erp.kernel.fields.AmountField(decimal_places=4, default=0, max_digits=19)),
                ('currency', models.CharField(max_length=3)),
                ('reasons', models.JSONField(default=dict)),
                ('policy_version', models.CharField(blank=True, max_length=60)),
                ('queue', models.CharField(max_length=30)),
                ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('state', django_fsm.FSMField(choices=[('open', 'Open'), ('assigned', 'Assigned'), ('acknowledged', 'Acknowledged'), ('in_progress', 'In progress'), ('waiting', 'Waiting'), ('resolved', 'Resolved'), ('dismissed', 'Dismissed')], default='open', max_length=50, protected=True)),
                ('opened_at', models.DateTimeField()),
                ('acknowledge_by', models.DateTimeField()),
                ('start_by', models.DateTimeField(blank=True, null=True)),
                ('resolve_by', models.DateTimeField()),
                ('acknowledged_at', models.DateTimeField(blank=True, null=True)),
                ('resolved_at', models.DateTimeField(blank=True, null=True)),
                ('resolved_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('resolution', models.CharField(blank=True, max_length=300)),
                ('is_muted', models.BooleanField(default=False)),
                ('waiting_on', models.CharField(blank=True, choices=[('customer', 'Customer'), ('supplier', 'Supplier'), ('carrier', 'Carrier'), ('system', 'Another system')], db_default='', max_length=10)),
                ('follow_up_at', models.DateTimeField(blank=True, null=True)),
                ('clock_stopped_at', models.DateTimeField(blank=True, null=True)),
                ('snoozed_until', models.DateTimeField(blank=True, null=True)),
                ('escalation_level', models.PositiveSmallIntegerField(default=0)),
                ('reopened_count', models.PositiveSmallIntegerField(default=0)),
                ('worked_minutes', models.PositiveIntegerField(blank=True, null=True)),
                ('updated_at', models.DateTimeField()),
            ],
            options={
                'permissions': [('work_case', 'Can work an exception case'), ('dismiss_case', 'Can dismiss an exception case')],
                'indexes': [models.Index(models.F('entity'), models.F('severity'), django.db.models.expressions.CombinedExpression(models.F('rank'), '*', models.Value(-1)), models.F('id'), condition=models.Q(models.Q(('state__in', ['resolved', 'dismissed']), _negated=True), ('parent', None)), name='exceptions_case_queue'), models.Index(condition=models.Q(models.Q(('state__in', ['resolved', 'dismissed']), _negated=True), ('parent', None)), fields=['entity', 'resolve_by', 'id'], name='exceptions_case_by_clock'), models.Index(condition=models.Q(models.Q(('state__in', ['resolved', 'dismissed']), _negated=True), ('cause_id__isnull', False)), fields=['cause_id', 'cause_kind'], name='exceptions_case_of_cause'), models.Index(condition=models.Q(('state__in', ['resolved', 'dismissed']), _negated=True), fields=['owner', 'entity'], name='exceptions_case_of_owner'), models.Index(fields=['entity', '-resolved_at'], name='exceptions_case_closed'), models.Index(fields=['subject_id', 'subject_kind'], name='exceptions_case_of_subject'), models.Index(condition=models.Q(('parent__isnull', False)), fields=['parent'], name='exceptions_case_of_parent')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['open', 'assigned', 'acknowledged', 'in_progress', 'waiting', 'resolved', 'dismissed'])), name='exceptions_case_state_known'), models.UniqueConstraint(condition=models.Q(('state__in', ['resolved', 'dismissed']), _negated=True), fields=('type', 'subject_kind', 'subject_id'), name='exceptions_case_one_open_per_subject'), models.CheckConstraint(condition=models.Q(models.Q(('resolved_at__isnull', False), ('state__in', ['resolved', 'dismissed'])), models.Q(models.Q(('state__in', ['resolved', 'dismissed']), _negated=True), ('resolved_at', None)), _connector='OR'), name='exceptions_case_resolved_at_is_set_once_resolved'), models.CheckConstraint(condition=models.Q(('severity__gte', 1), ('severity__lte', 4)), name='exceptions_case_severity_known'), models.CheckConstraint(condition=models.Q(models.Q(('follow_up_at__isnull', False), ('state', 'waiting'), models.Q(('waiting_on', ''), _negated=True)), models.Q(models.Q(('state', 'waiting'), _negated=True), ('clock_stopped_at', None), ('follow_up_at', None), ('waiting_on', '')), _connector='OR'), name='exceptions_case_waits_on_somebody'), models.CheckConstraint(condition=models.Q(('parent', models.F('id')), _negated=True), name='exceptions_case_is_not_its_own_parent')],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        migrations.CreateModel(
            name='NoticePreference',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('mail', models.CharField(choices=[('none', 'Never'), ('important', 'The worst at once, the rest together'), ('together', 'Everything together'), ('at_once', 'Everything at once')], default='important', max_length=10)),
                ('digest_minutes', models.PositiveSmallIntegerField(default=240)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('digest_minutes__gte', 5), ('digest_minutes__lte', 1440)), name='exceptions_preference_digest_within_a_day')],
            },
        ),
        migrations.CreateModel(
            name='Notice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='exceptions.exceptioncase')),
                ('kind', models.CharField(choices=[('assigned', 'Yours now'), ('escalated', 'Escalated to you'), ('predicted', 'Likely to be late'), ('follow_up', 'Ask again'), ('mentioned', 'You were mentioned'), ('watched', 'Something happened')], max_length=10)),
                ('key', models.CharField(max_length=120)),
                ('text', models.CharField(max_length=300)),
                ('at', models.DateTimeField()),
                ('read_at', models.DateTimeField(blank=True, null=True)),
                ('mail_at', models.DateTimeField(blank=True, null=True)),
                ('mailed_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'indexes': [models.Index(fields=['user', '-id'], name='exceptions_notice_newest'), models.Index(condition=models.Q(('mail_at__isnull', False), ('mailed_at', None), ('read_at', None)), fields=['mail_at'], name='exceptions_notice_to_mail')],
                'constraints': [models.UniqueConstraint(fields=('user', 'key'), name='exceptions_notice_once_per_key')],
            },
        ),
        migrations.CreateModel(
            name='CaseWatcher',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('case', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='watchers', to='exceptions.exceptioncase')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('since', models.DateTimeField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('case', 'user'), name='exceptions_watcher_once')],
            },
        ),
        migrations.CreateModel(
            name='CaseAttachment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attachments', to='exceptions.exceptioncase')),
                ('name', models.CharField(max_length=150)),
                ('content_type', models.CharField(max_length=100)),
                ('size', models.PositiveIntegerField()),
                ('digest', models.CharField(max_length=64)),
                ('content', models.BinaryField()),
                ('added_at', models.DateTimeField()),
                ('added_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('case', 'digest'), name='exceptions_attachment_once'), models.CheckConstraint(condition=models.Q(('size__gt', 0), ('size__lte', 5242880)), name='exceptions_attachment_size_bounded')],
            },
        ),
        migrations.CreateModel(
            name='CaseTimer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='timers', to='exceptions.exceptioncase')),
                ('kind', models.CharField(choices=[('acknowledge', 'Acknowledge'), ('resolve', 'Resolve'), ('predicted', 'Predicted'), ('follow_up', 'Follow Up')], max_length=20)),
                ('step', models.PositiveSmallIntegerField(db_default=0, default=0)),
                ('due_at', models.DateTimeField()),
                ('fired_at', models.DateTimeField(blank=True, null=True)),
                ('cancelled_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('cancelled_at', None), ('fired_at', None)), fields=['due_at'], name='exceptions_timer_due')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('cancelled_at', None)), fields=('case', 'kind', 'due_at'), name='exceptions_timer_once_per_step')],
            },
        ),
        migrations.CreateModel(
            name='CaseInterval',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('case', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='intervals', to='exceptions.exceptioncase')),
                ('party', models.CharField(choices=[('owner', 'Our desk'), ('customer', 'Customer'), ('supplier', 'Supplier'), ('carrier', 'Carrier'), ('system', 'Another system')], max_length=10)),
                ('queue', models.CharField(max_length=30)),
                ('owner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('since', models.DateTimeField()),
                ('until', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'indexes': [models.Index(fields=['case', 'since'], name='exceptions_interval_of_case')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('until', None)), fields=('case',), name='exceptions_interval_one_open'), models.CheckConstraint(condition=models.Q(('until', None), ('until__gte', models.F('since')), _connector='OR'), name='exceptions_interval_ends_after_it_began')],
            },
        ),
        migrations.CreateModel(
            name='CaseComment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='comments', to='exceptions.exceptioncase')),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('at', models.DateTimeField()),
                ('text', models.TextField()),
            ],
        ),
        migrations.CreateModel(
            name='PlayRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='play_runs', to='exceptions.exceptioncase')),
                ('key', models.CharField(max_length=40)),
                ('chosen', models.JSONField()),
                ('alternatives', models.JSONField(default=list)),
                ('run_at', models.DateTimeField()),
                ('run_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('outcome', models.CharField(max_length=300)),
            ],
        ),
    ]
