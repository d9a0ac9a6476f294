import django.utils.timezone
from django.db import migrations, models

MOVES_FORWARD = """
CREATE FUNCTION calllogs_recording_moves_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.state, NEW.state) NOT IN (
        ('expected', 'absent'), ('expected', 'announced'), ('expected', 'failed'),
        ('absent', 'announced'),
        ('announced', 'stored'), ('announced', 'failed'),
        ('stored', 'transcribed'), ('stored', 'failed'),
        ('transcribed', 'stored'),
        ('failed', 'announced'), ('failed', 'stored'), ('failed', 'absent')
    ) THEN
        RAISE EXCEPTION 'a recording does not go from % to %', OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'recording_moves_forward';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER recording_moves_forward BEFORE UPDATE OF state ON calllogs_recording
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION calllogs_recording_moves_forward();
"""
MOVES_ANYWHERE = """
DROP TRIGGER recording_moves_forward ON calllogs_recording;
DROP FUNCTION calllogs_recording_moves_forward();
"""


class Migration(migrations.Migration):

    dependencies = [('calllogs', '0004_transcription_revisions')]

    operations = [
        migrations.AddField(
            model_name='calllog',
            name='ask_carrier_at',
            field=models.DateTimeField(blank=True, help_text='Not before then is the carrier asked again about it.', null=True),
        ),
        migrations.AddField(
            model_name='calllog',
            name='heard_of_at',
            field=models.DateTimeField(auto_now=True, help_text='When we last learned something of it.'),
        ),
        migrations.AddField(
            model_name='calllog',
            name='seek_recording_at',
            field=models.DateTimeField(blank=True, help_text='When its recording is looked for at the carrier, unless it is announced before.', null=True),
        ),
        migrations.AddField(
            model_name='recording',
            name='deleted_at_carrier_at',
            field=models.DateTimeField(blank=True, help_text='When the carrier had no copy of its own any more.', null=True, verbose_name='deleted at the carrier'),
        ),
        migrations.AddField(
            model_name='recording',
            name='deletion_due_at',
            field=models.DateTimeField(default=django.utils.timezone.now, help_text='When the carrier may next be asked to forget its copy of what we have verified.'),
        ),
        migrations.AlterField(
            model_name='recording',
            name='recording_sid',
            field=models.CharField(blank=True, help_text='Empty: the carrier never told of one, and has none.', max_length=64, verbose_name='recording SID'),
        ),
        migrations.AddIndex(
            model_name='calllog',
            index=models.Index(condition=models.Q(('status', 'ended'), _negated=True), fields=['ask_carrier_at'], name='call_to_ask_about'),
        ),
        migrations.AddIndex(
            model_name='calllog',
            index=models.Index(condition=models.Q(('seek_recording_at__isnull', False)), fields=['seek_recording_at'], name='call_recording_to_seek'),
        ),
        migrations.AddIndex(
            model_name='recording',
            index=models.Index(condition=models.Q(('deleted_at_carrier_at__isnull', True), models.Q(('sha256', ''), _negated=True)), fields=['deletion_due_at'], name='recording_to_delete'),
        ),
        migrations.AddConstraint(
            model_name='recording',
            constraint=models.UniqueConstraint(condition=models.Q(('recording_sid', ''), _negated=True), fields=('recording_sid',), name='recording_is_known_once'),
        ),
        migrations.AddConstraint(
            model_name='recording',
            constraint=models.UniqueConstraint(condition=models.Q(('recording_sid', '')), fields=('call',), name='call_lacks_one_recording'),
        ),
        migrations.AddConstraint(
            model_name='recording',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('recording_sid', ''), _negated=True), models.Q(('kind', 'call'), ('state', 'failed')), _connector='OR'), name='recording_without_a_sid_has_failed'),
        ),
        migrations.AddConstraint(
            model_name='recording',
            constraint=models.CheckConstraint(condition=models.Q(('deleted_at_carrier_at', None), models.Q(('sha256', ''), _negated=True), _connector='OR'), name='only_what_is_here_is_deleted_there'),
        ),
        migrations.RunSQL(MOVES_FORWARD, MOVES_ANYWHERE),
    ]
