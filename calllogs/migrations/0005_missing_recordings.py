from typing import ClassVar

from django.db import migrations
from django.db.migrations.operations.base import Operation


class Migration(migrations.Migration):
    dependencies = [("calllogs", "0004_transcription_revisions")]
    operations: ClassVar[list[Operation]] = []
