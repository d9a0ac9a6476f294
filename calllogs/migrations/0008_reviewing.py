from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('calllogs', '0007_retention'),
    ]

    operations = [
    ]
