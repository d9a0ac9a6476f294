import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def forget_cut_offs(apps, schema_editor):
    """A call whose stream broke has not ended for that; what became of such calls was written down by others."""
    apps.get_model('calllogs', 'CallLog').objects.filter(end_reason='let_go').update(end_reason='', agent_ended_ms=None)


class Migration(migrations.Migration):

    dependencies = [
        ('calllogs', '0001_calls'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(forget_cut_offs, migrations.RunPython.noop),
        migrations.AddField(
            model_name='calllog',
            name='call_back_by',
            field=models.DateTimeField(blank=True, help_text='What a caller who left a message was promised.', null=True),
        ),
        migrations.AddField(
            model_name='calllog',
            name='called_back_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='calllog',
            name='called_back_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='calllog',
            name='language',
            field=models.CharField(blank=True, max_length=2),
        ),
        migrations.AddField(
            model_name='calllog',
            name='language_since_ms',
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='calllog',
            name='refused',
            field=models.CharField(blank=True, choices=[('capacity', 'All lines busy'), ('engine_down', 'Speech engine down'), ('failed', 'Something failed')], help_text='Why the agent did not take the call.', max_length=16),
        ),
        migrations.AddField(
            model_name='turn',
            name='answer_gap_ms',
            field=models.PositiveIntegerField(blank=True, help_text="Of an answer: from the caller's last sound to its first, fillers not counted.", null=True),
        ),
        migrations.AlterField(
            model_name='calllog',
            name='end_reason',
            field=models.CharField(blank=True, choices=[('caller_hung_up', 'Caller hung up'), ('agent_hung_up', 'Agent said goodbye'), ('transferred', 'Handed to a person'), ('no_input', 'Nobody spoke'), ('max_duration', 'Longest time reached'), ('engine_failed', 'Speech engine failed')], max_length=24),
        ),
        migrations.AlterField(
            model_name='calllog',
            name='streaming_at',
            field=models.DateTimeField(blank=True, help_text='When the agent was first on the line; turns count from here.', null=True),
        ),
        migrations.AlterField(
            model_name='toolcall',
            name='status',
            field=models.CharField(choices=[('running', 'Running'), ('done', 'Done'), ('failed', 'Not possible'), ('refused', 'Refused'), ('timed_out', 'Took too long'), ('unknown', 'Not known')], default='running', max_length=12),
        ),
        migrations.AddIndex(
            model_name='calllog',
            index=models.Index(condition=models.Q(('called_back_at', None), models.Q(('message_left', True), models.Q(('status', 'ended'), models.Q(('transferred_at__isnull', False), models.Q(('refused', ''), _negated=True), models.Q(('dial_state', ''), _negated=True), _connector='OR'), models.Q(('dial_state', 'answered'), _negated=True), models.Q(('caller_number', ''), _negated=True)), _connector='OR')), fields=['call_back_by', 'started_at', 'id'], name='call_to_call_back'),
        ),
    ]
