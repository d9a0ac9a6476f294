"""Where requests go: the admin, health, and the carrier's webhooks with the log they write to."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from orders.hours import StaffHours
from voiceagent import webhooks

from .health import healthz, jobs, readyz
from .log import log

# Whoever tries too often sees this; allauth looks for it here.
handler429 = "staff.pages.slow_down"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:calllogs_calllog_changelist")),
    path("admin/", include("staff.urls")),
    path("admin/", admin.site.urls),
    path("healthz", healthz),
    path("healthz/jobs", jobs),
    path("readyz", readyz),
    *webhooks.urlpatterns(log, StaffHours()),
]
