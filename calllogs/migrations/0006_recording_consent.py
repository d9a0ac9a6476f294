from django.db import migrations, models

MAY_MOVE = """
CREATE OR REPLACE FUNCTION calllogs_recording_moves_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.state, NEW.state) NOT IN (
        ('expected', 'absent'), ('expected', 'announced'), ('expected', 'failed'),
        ('absent', 'announced'),
        ('announced', 'stored'), ('announced', 'failed'),%s
        ('stored', 'transcribed'), ('stored', 'failed'),
        ('transcribed', 'stored'),
        ('failed', 'announced'), ('failed', 'stored'), ('failed', 'absent')
    ) THEN
        RAISE EXCEPTION 'a recording does not go from %% to %%', OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'recording_moves_forward';
    END IF;
    RETURN NEW;
END $$;
"""
# What the caller refused is not there any more, however late that is told.
REFUSED = " ('announced', 'absent'), ('stored', 'absent'), ('transcribed', 'absent'),"


class Migration(migrations.Migration):

    dependencies = [
        ('calllogs', '0005_missing_recordings'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='recording',
            name='only_what_is_here_is_deleted_there',
        ),
        migrations.AddField(
            model_name='calllog',
            name='forget_recording_at',
            field=models.DateTimeField(blank=True, help_text='When the carrier is next asked to stop and delete a recording that was refused.', null=True),
        ),
        migrations.AddField(
            model_name='calllog',
            name='notice_version',
            field=models.CharField(blank=True, help_text='Which words told the caller of the agent and of the recording: a hash of them.', max_length=12),
        ),
        migrations.AddField(
            model_name='calllog',
            name='recording_refusal',
            field=models.CharField(blank=True, choices=[('said', 'Said so'), ('pressed', 'Pressed 9')], max_length=8),
        ),
        migrations.AddField(
            model_name='calllog',
            name='recording_refused_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='recording',
            name='is_refused',
            field=models.BooleanField(default=False, help_text='The caller did not want to be recorded.'),
        ),
        migrations.AddIndex(
            model_name='calllog',
            index=models.Index(condition=models.Q(('forget_recording_at__isnull', False)), fields=['forget_recording_at'], name='call_recording_to_forget'),
        ),
        migrations.AddConstraint(
            model_name='calllog',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('forget_recording_at', None), ('recording_refusal', ''), ('recording_refused_at', None)), models.Q(('recording_refusal__in', ['said', 'pressed']), ('recording_refused_at__isnull', False)), _connector='OR'), name='a_recording_is_refused_at_a_time_and_in_a_way'),
        ),
        migrations.AddConstraint(
            model_name='recording',
            constraint=models.CheckConstraint(condition=models.Q(('deleted_at_carrier_at', None), models.Q(('sha256', ''), _negated=True), ('is_refused', True), _connector='OR'), name='only_what_is_here_is_deleted_there'),
        ),
        migrations.AddConstraint(
            model_name='recording',
            constraint=models.CheckConstraint(condition=models.Q(('is_refused', False), models.Q(('kind', 'call'), ('sha256', ''), ('size', None), ('state', 'absent')), _connector='OR'), name='what_was_refused_is_not_kept'),
        ),
        migrations.RunSQL((MAY_MOVE % REFUSED), (MAY_MOVE % "")),
    ]
