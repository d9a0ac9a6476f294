from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('voiceagent', '0004_recording_consent'),
    ]

    operations = [
    ]
