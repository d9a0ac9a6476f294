import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_shop")]
    operations = [
        migrations.RemoveField(model_name="proof", name="cancellation_asked_at"),
        migrations.RemoveField(model_name="proof", name="cancellation_of"),
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("key", models.CharField(max_length=64)),
                ("count", models.PositiveIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("day", "key"), name="a_day_has_one_tally_of_a_name"),
                    models.CheckConstraint(condition=models.Q(("key__regex", "^[0-9a-f]{64}$")), name="a_tally_is_kept_under_a_hash"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Confirmation",
            fields=[
                ("nonce", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("call_sid", models.CharField(max_length=64)),
                (
                    "asked_by",
                    models.CharField(help_text="The tool call that the question was the answer to.", max_length=128),
                ),
                ("question", models.TextField()),
                ("order_stood", models.CharField(max_length=64)),
                ("asked_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "order",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="orders.order"),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("used_at", None)), fields=("call_sid",), name="a_call_has_one_open_question"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("call_sid", ""), _negated=True) & models.Q(("question", ""), _negated=True),
                        name="a_question_is_put_in_a_call",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("used_at", None)) | models.Q(("used_at__gte", models.F("asked_at"))),
                        name="a_yes_follows_its_question",
                    ),
                ],
            },
        ),
    ]
