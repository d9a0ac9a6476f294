from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('calllogs', '0005_missing_recordings'),
    ]

    operations = [
    ]
