from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('voiceagent', '0003_tool_effects'),
    ]

    operations = [
    ]
