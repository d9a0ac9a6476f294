from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0003_history'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='customer',
            index=models.Index(fields=['name'], name='orders_cust_name_1ee0b1_idx'),
        ),
    ]
