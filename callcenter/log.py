"""The log of every call, as the web server's parts share it: rows, and a spool on this machine for when the database is away."""

from django.conf import settings

from calllogs.log import DatabaseLog
from voiceagent.kept import KeptLog
from voiceagent.spool import Spool

log = KeptLog(DatabaseLog, Spool(settings.SPOOL_ROOT))
