from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('voiceagent', '0004_recording_consent'),
    ]

    operations = [
        migrations.AddField(
            model_name='transferdestination',
            name='abroad',
            field=models.BooleanField(default=False, help_text='Yes, this number is meant, and what it costs to ring it is known.', verbose_name='rung in another country'),
        ),
        migrations.AddConstraint(
            model_name='transferdestination',
            constraint=models.CheckConstraint(condition=models.Q(('phone__regex', '^\\+[1-9][0-9]{6,14}$'), models.Q(('phone__regex', '^\\+(800|808|87|88[1-38]|979)'), _negated=True)), name='a_destination_is_a_telephone'),
        ),
    ]
