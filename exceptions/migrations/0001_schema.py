import django.db.models.deletion
import django.db.models.expressions
import django_fsm
import erp.kernel.fields
from django.conf import settings
from django.db import migrations, models
from erp.kernel.folding import Folded


class Migration(migrations.Migration):

    initial = True

    # What a database that grew step by step has applied already.
    replaces = [
        ('exceptions', '0001_initial'),
        ('exceptions', '0002_attributed_time'),
        ('exceptions', '0002_counted_ranges'),
        ('exceptions', '0003_plays_undone'),
        ('exceptions', '0004_timers_repeat'),
        ('exceptions', '0005_desks'),
    ]

    dependencies = [
        ('accounts', '0001_initial'),
        ('orders', '0001_schema'),
    ]

    operations = [Folded([
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
                'permissions': [('work_case', 'Can work an exception case'), ('dismiss_case', 'Can dismiss an exception case'), ('approve_play', "Can agree to somebody's way out of a case")],
                'indexes': [models.Index(models.F('entity'), models.F('severity'), django.db.models.expressions.CombinedExpression(models.F('rank'), '*', models.Value(-1)), models.F('id'), condition=models.Q(models.Q(('state__in', ['resolved', 'dismissed']), _negated=True), ('parent', None)), name='exceptions_case_queue'), models.Index(condition=models.Q(models.Q(('state__in', ['resolved', 'dismissed']), _negated=True), ('parent', None)), fields=['entity', 'resolve_by', 'id'], name='exceptions_case_by_clock'), models.Index(condition=models.Q(models.Q(('state__in', ['resolved', 'dismissed']), _negated=True), ('parent', None)), fields=['entity', 'queue'], name='exceptions_case_of_queue'), models.Index(condition=models.Q(models.Q(('state__in', ['resolved', 'dismissed']), _negated=True), ('parent', None), ('owner', None)), fields=['entity'], name='exceptions_case_unowned'), models.Index(condition=models.Q(models.Q(('state__in', ['resolved', 'dismissed']), _negated=True), ('parent', None), ('tier', 'A')), fields=['entity'], name='exceptions_case_strategic'), models.Index(condition=models.Q(models.Q(('state__in', ['resolved', 'dismissed']), _negated=True), ('parent', None), ('escalation_level__gt', 0)), fields=['entity'], name='exceptions_case_escalated'), models.Index(condition=models.Q(models.Q(('state__in', ['resolved', 'dismissed']), _negated=True), ('parent', None), ('state', 'waiting')), fields=['entity'], name='exceptions_case_waiting'), models.Index(condition=models.Q(models.Q(('state__in', ['resolved', 'dismissed']), _negated=True), ('parent', None), ('snoozed_until__isnull', False)), fields=['entity'], name='exceptions_case_snoozed'), models.Index(condition=models.Q(models.Q(('state__in', ['resolved', 'dismissed']), _negated=True), ('cause_id__isnull', False)), fields=['cause_id', 'cause_kind'], name='exceptions_case_of_cause'), models.Index(condition=models.Q(('state__in', ['resolved', 'dismissed']), _negated=True), fields=['owner', 'entity'], name='exceptions_case_of_owner'), models.Index(fields=['entity', '-resolved_at'], name='exceptions_case_closed'), models.Index(fields=['subject_id', 'subject_kind'], name='exceptions_case_of_subject'), models.Index(condition=models.Q(('parent__isnull', False)), fields=['parent'], name='exceptions_case_of_parent')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['open', 'assigned', 'acknowledged', 'in_progress', 'waiting', 'resolved', 'dismissed'])), name='exceptions_case_state_known'), models.UniqueConstraint(condition=models.Q(('state__in', ['resolved', 'dismissed']), _negated=True), fields=('type', 'subject_kind', 'subject_id'), name='exceptions_case_one_open_per_subject'), models.CheckConstraint(condition=models.Q(models.Q(('resolved_at__isnull', False), ('state__in', ['resolved', 'dismissed'])), models.Q(models.Q(('state__in', ['resolved', 'dismissed']), _negated=True), ('resolved_at', None)), _connector='OR'), name='exceptions_case_resolved_at_is_set_once_resolved'), models.CheckConstraint(condition=models.Q(('severity__gte', 1), ('severity__lte', 4)), name='exceptions_case_severity_known'), models.CheckConstraint(condition=models.Q(models.Q(('follow_up_at__isnull', False), ('state', 'waiting'), models.Q(('waiting_on', ''), _negated=True)), models.Q(models.Q(('state', 'waiting'), _negated=True), ('clock_stopped_at', None), ('follow_up_at', None), ('waiting_on', '')), _connector='OR'), name='exceptions_case_waits_on_somebody'), models.CheckConstraint(condition=models.Q(('parent', models.F('id')), _negated=True), name='exceptions_case_is_not_its_own_parent')],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
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
            name='CaseTimer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='timers', to='exceptions.exceptioncase')),
                ('kind', models.CharField(choices=[('acknowledge', 'Acknowledge'), ('resolve', 'Resolve'), ('predicted', 'Predicted'), ('follow_up', 'Follow Up')], max_length=20)),
                ('step', models.PositiveSmallIntegerField(db_default=0, default=0)),
                ('repeat', models.PositiveSmallIntegerField(db_default=0, default=0)),
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
            name='SavedFilter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('name', models.CharField(max_length=60)),
                ('query', models.JSONField(default=dict)),
                ('entity', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.entity')),
                ('role', models.CharField(blank=True, choices=[('customer_service', 'Customer service'), ('order_desk', 'Order desk'), ('credit', 'Credit'), ('pricing', 'Pricing'), ('planner', 'Planner'), ('buyer', 'Buyer'), ('warehouse', 'Warehouse'), ('shipping', 'Shipping'), ('ar', 'Accounts receivable'), ('ap', 'Accounts payable'), ('controller', 'Controller'), ('operations_lead', 'Operations lead'), ('executive', 'Executive'), ('steward', 'Master-data steward'), ('administrator', 'Administrator'), ('partner', 'Partner')], max_length=30)),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('owner', 'name'), name='exceptions_filter_once'), models.CheckConstraint(condition=models.Q(models.Q(('entity', None), ('role', '')), models.Q(models.Q(('role', ''), _negated=True), ('entity__isnull', False)), _connector='OR'), name='exceptions_filter_shared_in_an_entity')],
            },
        ),
        migrations.CreateModel(
            name='DefaultFilter',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('filter', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='exceptions.savedfilter')),
            ],
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
            name='PlayRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='play_requests', to='exceptions.exceptioncase')),
                ('key', models.CharField(max_length=60)),
                ('chosen', models.JSONField()),
                ('alternatives', models.JSONField(default=list)),
                ('fingerprint', models.CharField(max_length=64)),
                ('state', django_fsm.FSMField(choices=[('pending', 'Waits for agreement'), ('run', 'Run'), ('dropped', 'Dropped')], default='pending', max_length=50, protected=True)),
                ('requested_at', models.DateTimeField()),
                ('requested_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('settled_at', models.DateTimeField(blank=True, null=True)),
                ('outcome', models.CharField(blank=True, max_length=300)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['pending', 'run', 'dropped'])), name='exceptions_playrequest_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('settled_at', None), ('state', 'pending')), models.Q(('settled_at__isnull', False), ('state__in', ['run', 'dropped'])), _connector='OR'), name='exceptions_playrequest_settled_at_is_set_once_settled'), models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('case',), name='exceptions_playrequest_one_waits')],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        migrations.CreateModel(
            name='PlayRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='play_runs', to='exceptions.exceptioncase')),
                ('key', models.CharField(max_length=40)),
                ('chosen', models.JSONField()),
                ('alternatives', models.JSONField(default=list)),
                ('made', models.JSONField(default=dict)),
                ('run_at', models.DateTimeField()),
                ('run_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('outcome', models.CharField(max_length=300)),
                ('policy_version', models.CharField(blank=True, db_default='', max_length=60)),
                ('undo_until', models.DateTimeField(blank=True, null=True)),
                ('undone_at', models.DateTimeField(blank=True, null=True)),
                ('undone_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('undo_reason', models.CharField(blank=True, db_default='', max_length=300)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('undo_reason', ''), ('undone_at', None)), models.Q(('undone_at__isnull', False), models.Q(('undo_reason', ''), _negated=True)), _connector='OR'), name='exceptions_playrun_undone_says_why')],
            },
        ),
        migrations.CreateModel(
            name='Shift',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('entity', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.entity')),
                ('role', models.CharField(choices=[('customer_service', 'Customer service'), ('order_desk', 'Order desk'), ('credit', 'Credit'), ('pricing', 'Pricing'), ('planner', 'Planner'), ('buyer', 'Buyer'), ('warehouse', 'Warehouse'), ('shipping', 'Shipping'), ('ar', 'Accounts receivable'), ('ap', 'Accounts payable'), ('controller', 'Controller'), ('operations_lead', 'Operations lead'), ('executive', 'Executive'), ('steward', 'Master-data steward'), ('administrator', 'Administrator'), ('partner', 'Partner')], max_length=30)),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('weekdays', models.CharField(default='1111100', max_length=7)),
                ('starts', models.TimeField()),
                ('ends', models.TimeField()),
                ('valid_from', models.DateField(blank=True, null=True)),
                ('valid_until', models.DateField(blank=True, null=True)),
            ],
            options={
                'permissions': [('plan_shifts', 'Can say who sits at which desk when')],
                'indexes': [models.Index(fields=['entity', 'role'], name='exceptions_shift_of_desk')],
                'constraints': [models.CheckConstraint(condition=models.Q(('weekdays__regex', '^[01]{7}$'), models.Q(('weekdays', '0000000'), _negated=True)), name='exceptions_shift_on_some_day'), models.CheckConstraint(condition=models.Q(('starts', models.F('ends')), _negated=True), name='exceptions_shift_ends_another_time'), models.CheckConstraint(condition=models.Q(('valid_from', None), ('valid_until', None), ('valid_until__gte', models.F('valid_from')), _connector='OR'), name='exceptions_shift_ends_after_it_began')],
            },
        ),
    ])]
