from typing import ClassVar

from django.db import migrations
from django.db.migrations.operations.base import Operation


class Migration(migrations.Migration):
    dependencies = [("calllogs", "0003_transfers")]
    operations: ClassVar[list[Operation]] = []
