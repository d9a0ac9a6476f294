from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("voiceagent", "0002_a_call_may_have_several_streams")]
    operations = [
        migrations.CreateModel(
            name="ToolEffect",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("call_sid", models.CharField(max_length=64)),
                ("tool_call_id", models.CharField(max_length=128)),
                ("name", models.CharField(max_length=64)),
                ("arguments", models.TextField(blank=True)),
                ("status", models.CharField(choices=[("done", "Done"), ("failed", "Failed")], max_length=8)),
                ("output", models.TextField(blank=True)),
                ("asks_keypad", models.BooleanField(default=False)),
                ("begun_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "indexes": [models.Index(fields=["begun_at"], name="effects_by_time")],
                "constraints": [
                    models.UniqueConstraint(fields=("call_sid", "tool_call_id"), name="a_tool_call_has_one_effect"),
                    models.CheckConstraint(
                        condition=models.Q(("call_sid", ""), _negated=True) & models.Q(("tool_call_id", ""), _negated=True),
                        name="an_effect_belongs_to_a_tool_call",
                    ),
                ],
            },
        ),
    ]
