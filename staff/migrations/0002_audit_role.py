import django.core.validators
import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('staff', '0001_audit'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='auditevent',
            options={'default_permissions': ('view',), 'ordering': ('-at', '-pk'), 'permissions': (('see_contacts', 'Can see how people are reached'), ('reveal_contacts', 'Can ask to be shown how somebody is reached'))},
        ),
        migrations.AlterField(
            model_name='auditevent',
            name='actor',
            field=models.ForeignKey(db_constraint=False, help_text='Empty: the system.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.CreateModel(
            name='HistoricalTransferDestination',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('by', models.CharField(blank=True, help_text='Whoever it was, also when they no longer work here.', max_length=150)),
                ('department', models.SlugField(help_text='What the agent calls it, such as returns or sales.')),
                ('description', models.CharField(help_text='What belongs there; the agent reads this to choose.', max_length=200)),
                ('phone', models.CharField(max_length=16, validators=[django.core.validators.RegexValidator('^\\+[1-9][0-9]{6,14}\\Z', 'A number in international form, such as +14155550123.')])),
                ('any_time', models.BooleanField(default=False, help_text="Also outside the shop's opening hours.", verbose_name='rung at any time')),
                ('abroad', models.BooleanField(default=False, help_text='Yes, this number is meant, and what it costs to ring it is known.', verbose_name='rung in another country')),
                ('history_change_reason', models.CharField(max_length=200, null=True)),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'historical transfer destination',
                'verbose_name_plural': 'historical transfer destinations',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
    ]
