from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('calllogs', '0006_recording_consent'),
    ]

    operations = [
    ]
