"""Where requests go: the admin, health, the carrier's webhooks."""

from django.contrib import admin
from django.urls import path

urlpatterns = [path("admin/", admin.site.urls)]
