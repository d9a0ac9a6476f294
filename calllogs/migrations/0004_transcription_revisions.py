from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.migrations.operations.base import Operation


class Migration(migrations.Migration):
    dependencies = [("calllogs", "0003_transfers"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    operations: ClassVar[list[Operation]] = [
        migrations.AlterModelOptions(name="transcription", options={"ordering": ("pk",)}),
        migrations.AddField(
            model_name="recording",
            name="run",
            field=models.PositiveIntegerField(default=1, help_text="How many times a transcription was asked for."),
        ),
        migrations.AddField(
            model_name="transcription",
            name="corrects",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="corrected_by",
                to="calllogs.transcription",
            ),
        ),
        migrations.AddField(
            model_name="transcription",
            name="made_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="transcription",
            name="run",
            field=models.PositiveIntegerField(
                blank=True, default=1, help_text="Which transcribing made it; none: a person.", null=True
            ),
        ),
        migrations.AddField(
            model_name="transcription",
            name="suppressed",
            field=models.JSONField(default=list, help_text="What was left out: as words, and the reason."),
        ),
        migrations.AddField(
            model_name="transcription",
            name="thresholds",
            field=models.JSONField(default=dict, help_text="What decided which words to believe."),
        ),
        migrations.AlterField(model_name="transcription", name="model", field=models.CharField(blank=True, max_length=64)),
        migrations.AlterField(
            model_name="transcription",
            name="recording",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="transcriptions", to="calllogs.recording"
            ),
        ),
        migrations.AddConstraint(
            model_name="transcription",
            constraint=models.UniqueConstraint(fields=("recording", "run"), name="run_is_kept_once"),
        ),
        migrations.AddConstraint(
            model_name="transcription",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("corrects", None), ("made_by", None), ("run__isnull", False)),
                    models.Q(("corrects__isnull", False), ("run", None)),
                    _connector="OR",
                ),
                name="transcription_is_a_run_or_a_correction",
            ),
        ),
    ]
