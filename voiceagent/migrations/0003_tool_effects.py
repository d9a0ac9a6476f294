from typing import ClassVar

from django.db import migrations
from django.db.migrations.operations.base import Operation


class Migration(migrations.Migration):
    dependencies = [("voiceagent", "0002_a_call_may_have_several_streams")]
    operations: ClassVar[list[Operation]] = []
