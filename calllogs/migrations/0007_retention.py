import re

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

# A recording that was cleared stays so. (Otherwise as in 0006.)
MOVES_FORWARD = """
CREATE OR REPLACE FUNCTION calllogs_recording_moves_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.state, NEW.state) NOT IN (
        ('expected', 'absent'), ('expected', 'announced'), ('expected', 'failed'), ('expected', 'cleared'),
        ('absent', 'announced'),
        ('announced', 'stored'), ('announced', 'failed'), ('announced', 'absent'), ('announced', 'cleared'),
        ('stored', 'transcribed'), ('stored', 'failed'), ('stored', 'absent'), ('stored', 'cleared'),
        ('transcribed', 'stored'), ('transcribed', 'absent'), ('transcribed', 'cleared'),
        ('failed', 'announced'), ('failed', 'stored'), ('failed', 'absent'), ('failed', 'cleared')
    ) THEN
        RAISE EXCEPTION 'a recording does not go from % to %', OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'recording_moves_forward';
    END IF;
    RETURN NEW;
END $$;
"""
# As it was before there was anything to clear.
WITHOUT_CLEARING = re.sub(r", \('[a-z]+', 'cleared'\)", "", MOVES_FORWARD)

# Whatever asks for it: a call under legal hold is not deleted, and nothing of it is cleared.
HELD_STAYS = """
CREATE FUNCTION calllogs_held_call_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM calllogs_hold
        WHERE (call_id = OLD.id OR (caller_number = OLD.caller_number AND caller_number <> ''))
            AND lifted_at IS NULL AND (until IS NULL OR until > now())
    ) THEN
        RAISE EXCEPTION 'this call is under legal hold'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'held_call_stays';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER held_call_stays BEFORE DELETE ON calllogs_calllog
    FOR EACH ROW EXECUTE FUNCTION calllogs_held_call_stays();
CREATE TRIGGER held_call_keeps_its_words BEFORE UPDATE OF words_cleared_at, tools_cleared_at ON calllogs_calllog
    FOR EACH ROW WHEN (OLD.words_cleared_at IS DISTINCT FROM NEW.words_cleared_at
        OR OLD.tools_cleared_at IS DISTINCT FROM NEW.tools_cleared_at)
    EXECUTE FUNCTION calllogs_held_call_stays();
"""
HELD_GOES = """
DROP TRIGGER held_call_keeps_its_words ON calllogs_calllog;
DROP TRIGGER held_call_stays ON calllogs_calllog;
DROP FUNCTION calllogs_held_call_stays();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('calllogs', '0006_recording_consent'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ErasedCall',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('call_hash', models.CharField(max_length=64, unique=True)),
                ('erased_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('call_sid', models.CharField(blank=True, help_text='Until the carrier was asked what it recorded of it.', max_length=64)),
                ('ended_at', models.DateTimeField(null=True)),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('error', models.CharField(blank=True, max_length=200)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='ErasedRecording',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sid_hash', models.CharField(max_length=64)),
                ('recording_sid', models.CharField(blank=True, help_text='Until the carrier has confirmed that it is deleted.', max_length=64)),
                ('file', models.CharField(blank=True, help_text='Until it is removed for good.', max_length=64)),
                ('file_until', models.DateTimeField(default=django.utils.timezone.now, help_text='How long a worker may still be writing the file.')),
                ('confirmed_at', models.DateTimeField(help_text='When the carrier had none.', null=True)),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('error', models.CharField(blank=True, max_length=200)),
            ],
            options={
                'ordering': ('pk',),
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Erasure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reference', models.CharField(help_text='Your file or ticket; no name, number or address.', max_length=100, verbose_name='asked by')),
                ('done_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('done_by_name', models.CharField(max_length=150)),
                ('subjects', models.JSONField(default=dict, help_text='Keyed hashes of what was looked for: number, email, customer.')),
                ('found', models.JSONField(default=dict, help_text='How many of each were found and erased.')),
                ('remains', models.JSONField(default=list, help_text='What stays, how many, and why.')),
            ],
            options={
                'ordering': ('-pk',),
                'permissions': (('erase_caller', 'Can erase callers, and give out what is kept of them'),),
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='Hold',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('caller_number', models.CharField(blank=True, max_length=64)),
                ('why', models.CharField(help_text='The matter and who ordered it; nothing of the caller.', max_length=200)),
                ('since', models.DateTimeField(default=django.utils.timezone.now)),
                ('until', models.DateTimeField(blank=True, help_text='Empty: until somebody lifts it.', null=True)),
                ('lifted_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ('-pk',),
                'default_permissions': ('view',),
            },
        ),
        migrations.AlterModelOptions(
            name='calllog',
            options={'ordering': ('-started_at', '-pk'), 'permissions': (('hold_calllog', 'Can put calls under a legal hold, and lift it'),), 'verbose_name': 'call'},
        ),
        migrations.RemoveConstraint(
            model_name='recording',
            name='only_what_is_here_is_deleted_there',
        ),
        migrations.RemoveIndex(
            model_name='recording',
            name='recording_to_delete',
        ),
        migrations.AddField(
            model_name='calllog',
            name='tools_cleared_at',
            field=models.DateTimeField(blank=True, help_text='When what tools were asked and told in it was cleared, as its time was over.', null=True),
        ),
        migrations.AddField(
            model_name='calllog',
            name='words_cleared_at',
            field=models.DateTimeField(blank=True, help_text='When what was said in it was cleared, as its time was over.', null=True),
        ),
        migrations.AddField(
            model_name='recording',
            name='cleared_at',
            field=models.DateTimeField(blank=True, help_text='When its time was over, and its file was removed.', null=True),
        ),
        migrations.AlterField(
            model_name='recording',
            name='state',
            field=models.CharField(choices=[('expected', 'Being recorded'), ('absent', 'Nothing was recorded'), ('announced', 'Waiting to be fetched'), ('stored', 'Waiting to be transcribed'), ('transcribed', 'Transcribed'), ('failed', 'Failed'), ('cleared', 'Cleared')], default='expected', max_length=12),
        ),
        migrations.AddIndex(
            model_name='calllog',
            index=models.Index(condition=models.Q(('words_cleared_at', None)), fields=['ended_at'], name='call_with_words'),
        ),
        migrations.AddIndex(
            model_name='calllog',
            index=models.Index(condition=models.Q(('tools_cleared_at', None)), fields=['ended_at'], name='call_with_tools'),
        ),
        migrations.AddIndex(
            model_name='recording',
            index=models.Index(condition=models.Q(('deleted_at_carrier_at__isnull', True), models.Q(models.Q(('sha256', ''), _negated=True), ('state', 'cleared'), _connector='OR')), fields=['deletion_due_at'], name='recording_to_delete'),
        ),
        migrations.AddConstraint(
            model_name='recording',
            constraint=models.CheckConstraint(condition=models.Q(('deleted_at_carrier_at', None), models.Q(('sha256', ''), _negated=True), ('state', 'cleared'), ('is_refused', True), _connector='OR'), name='only_what_is_here_is_deleted_there'),
        ),
        migrations.AddConstraint(
            model_name='recording',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('cleared_at__isnull', False), ('sha256', ''), ('size', None), ('state', 'cleared')), models.Q(models.Q(('state', 'cleared'), _negated=True), ('cleared_at', None)), _connector='OR'), name='a_cleared_recording_says_when_and_has_no_file'),
        ),
        migrations.AddField(
            model_name='erasure',
            name='done_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='erasedrecording',
            name='erasure',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='recordings', to='calllogs.erasure'),
        ),
        migrations.AddField(
            model_name='erasedcall',
            name='erasure',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='calls', to='calllogs.erasure'),
        ),
        migrations.AddField(
            model_name='hold',
            name='call',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='holds', to='calllogs.calllog'),
        ),
        migrations.AddField(
            model_name='hold',
            name='lifted_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='hold',
            name='set_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='erasedrecording',
            index=models.Index(condition=models.Q(models.Q(('recording_sid', ''), _negated=True), models.Q(('file', ''), _negated=True), _connector='OR'), fields=['due_at'], name='erased_recording_left'),
        ),
        migrations.AddConstraint(
            model_name='erasedrecording',
            constraint=models.UniqueConstraint(fields=('erasure', 'sid_hash'), name='recording_is_erased_once'),
        ),
        migrations.AddConstraint(
            model_name='erasedrecording',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('confirmed_at__isnull', False), ('recording_sid', '')), models.Q(models.Q(('recording_sid', ''), _negated=True), ('confirmed_at', None)), _connector='OR'), name='erased_recording_is_confirmed_or_named'),
        ),
        migrations.AddIndex(
            model_name='erasedcall',
            index=models.Index(condition=models.Q(('call_sid', ''), _negated=True), fields=['due_at'], name='erased_call_to_ask_about'),
        ),
        migrations.AddIndex(
            model_name='hold',
            index=models.Index(condition=models.Q(('caller_number', ''), _negated=True), fields=['caller_number'], name='hold_by_number'),
        ),
        migrations.AddConstraint(
            model_name='hold',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('call', None), models.Q(('caller_number', ''), _negated=True)), models.Q(('call__isnull', False), ('caller_number', '')), _connector='OR'), name='hold_is_on_a_call_or_a_number'),
        ),
        migrations.AddConstraint(
            model_name='hold',
            constraint=models.CheckConstraint(condition=models.Q(('why', ''), _negated=True), name='hold_says_why'),
        ),
        migrations.RunSQL(MOVES_FORWARD, WITHOUT_CLEARING),
        migrations.RunSQL(HELD_STAYS, HELD_GOES),
    ]
