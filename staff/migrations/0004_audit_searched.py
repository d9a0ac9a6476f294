from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('staff', '0003_sign_in'),
    ]

    operations = [
        migrations.AlterField(
            model_name='auditevent',
            name='action',
            field=models.CharField(choices=[('signed_in', 'Signed In'), ('sign_in_failed', 'Sign In Failed'), ('signed_out', 'Signed Out'), ('viewed', 'Viewed'), ('revealed', 'Revealed'), ('played', 'Played'), ('exported', 'Exported'), ('added', 'Added'), ('changed', 'Changed'), ('deleted', 'Deleted'), ('erased', 'Erased'), ('roles_changed', 'Roles Changed'), ('switched', 'Switched on or off')], max_length=20),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(fields=['actor_name', '-at'], name='audit_of_a_name'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(fields=['target_id', '-at'], name='audit_of_a_number'),
        ),
    ]
