import django.core.validators
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
        migrations.CreateModel(
            name='AgentSwitch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('on', models.BooleanField(default=False, verbose_name='the agent takes calls')),
                ('reason', models.CharField(blank=True, max_length=200)),
                ('at', models.DateTimeField(auto_now_add=True)),
                ('by', models.CharField(blank=True, editable=False, max_length=150)),
            ],
            options={
                'verbose_name_plural': 'agent switches',
                'ordering': ('-id',),
                'get_latest_by': 'id',
            },
        ),
        migrations.CreateModel(
            name='BlockedNumber',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(help_text='In international form, or what numbers begin with.', max_length=16, validators=[django.core.validators.RegexValidator('^\\+[1-9][0-9]{1,14}\\Z', 'Begin with + and the country, such as +14155550123 or +1415.')])),
                ('whole', models.BooleanField(default=True, help_text='Otherwise all that begin like this.', verbose_name='this number alone')),
                ('reason', models.CharField(help_text='Why, for whoever wonders later.', max_length=200)),
                ('until', models.DateTimeField(blank=True, help_text='Empty: for good.', null=True)),
                ('since', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ('number',),
            },
        ),
        migrations.AddField(
            model_name='mediastream',
            name='refused_for',
            field=models.CharField(blank=True, help_text='Why the agent did not take it, when it rang.', max_length=16),
        ),
        migrations.AddIndex(
            model_name='mediastream',
            index=models.Index(fields=['caller_number', 'issued_at'], name='stream_by_caller'),
        ),
        migrations.AddConstraint(
            model_name='blockednumber',
            constraint=models.UniqueConstraint(fields=('number', 'whole'), name='a_number_is_blocked_once'),
        ),
        migrations.AddConstraint(
            model_name='blockednumber',
            constraint=models.CheckConstraint(condition=models.Q(('number__regex', '^\\+[1-9][0-9]{1,14}$')), name='what_is_blocked_is_a_number'),
        ),
        migrations.CreateModel(
            name='CallCost',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('call_sid', models.CharField(max_length=64, unique=True)),
                ('day', models.DateField(help_text='Of the shop, on which it rang.')),
                ('reserved_micro', models.PositiveBigIntegerField(default=0, help_text='What it may come to before more is asked for.')),
                ('alive_at', models.DateTimeField(help_text='When it last asked. After a while what is put aside is given back.')),
                ('ended_at', models.DateTimeField(blank=True, help_text="When the agent's part was over, and no more was put aside.", null=True)),
                ('known_micro', models.PositiveBigIntegerField(default=0, help_text="The engine's, by its own account.")),
                ('guessed_micro', models.PositiveBigIntegerField(default=0, help_text='What stands for the parts nobody told of.')),
                ('guesses', models.PositiveIntegerField(default=0, help_text='How many those are.')),
                ('carrier_micro', models.PositiveBigIntegerField(default=0, help_text='Started minutes: of the line, and of people rung.')),
                ('streams', models.JSONField(default=dict, help_text="What the engine's is made of, by media stream.")),
                ('seconds', models.JSONField(default=dict, help_text="What the carrier's is made of: seconds of the line, and of each person rung.")),
            ],
            options={
                'indexes': [models.Index(fields=['day'], name='costs_of_a_day')],
            },
        ),
        migrations.CreateModel(
            name='SpendingAlert',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('percent', models.PositiveSmallIntegerField()),
                ('at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('day', 'percent'), name='an_alert_is_told_once')],
            },
        ),
    ]
