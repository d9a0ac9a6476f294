from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('voiceagent', '0005_spending'),
    ]

    operations = [
    ]
