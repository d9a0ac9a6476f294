from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('calllogs', '0007_retention'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='calllog',
            options={'ordering': ('-started_at', '-pk'), 'permissions': (('hold_calllog', 'Can put calls under a legal hold, and lift it'), ('export_calllog', 'Can export calls')), 'verbose_name': 'call'},
        ),
        migrations.AlterField(
            model_name='calllog',
            name='end_reason',
            field=models.CharField(blank=True, choices=[('caller_hung_up', 'Caller hung up'), ('agent_hung_up', 'Agent said goodbye'), ('transferred', 'Handed to a person'), ('no_input', 'Nobody spoke'), ('max_duration', 'Longest time reached'), ('engine_failed', 'Speech engine failed'), ('budget_spent', 'Budget spent'), ('blocked', 'Number is blocked')], max_length=24),
        ),
        migrations.AlterField(
            model_name='calllog',
            name='refused',
            field=models.CharField(blank=True, choices=[('capacity', 'All lines busy'), ('engine_down', 'Speech engine down'), ('failed', 'Something failed'), ('switched_off', 'Agent is switched off'), ('number_limit', 'Too many calls of this number'), ('budget', 'Budget spent')], help_text='Why the agent did not take the call.', max_length=16),
        ),
    ]
