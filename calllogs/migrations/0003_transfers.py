from typing import ClassVar

from django.db import migrations
from django.db.migrations.operations.base import Operation


class Migration(migrations.Migration):
    dependencies = [("calllogs", "0002_several_streams_and_call_backs")]
    operations: ClassVar[list[Operation]] = []
