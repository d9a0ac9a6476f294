from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("voiceagent", "0005_spending")]
    operations = [
        migrations.CreateModel(
            name="ToolUses",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("call_sid", models.CharField(max_length=64)),
                ("name", models.CharField(max_length=64)),
                ("uses", models.PositiveIntegerField(default=0)),
                ("deeds", models.PositiveIntegerField(default=0)),
                ("begun_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name_plural": "tool uses",
                "constraints": [
                    models.UniqueConstraint(fields=("call_sid", "name"), name="a_call_counts_each_tool_once"),
                    models.CheckConstraint(
                        condition=models.Q(("call_sid", ""), _negated=True), name="a_use_belongs_to_a_call"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("deeds__lte", models.F("uses"))), name="what_was_done_was_asked_for"
                    ),
                ],
            },
        ),
    ]
