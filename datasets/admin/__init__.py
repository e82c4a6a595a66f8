"""The admin: what was uploaded and how that went."""

from django.apps import apps
from django.contrib import admin

from .catalogue import CatalogueAdmin
from .dataset import DatasetAdmin
from .derived_result import DerivedResultAdmin
from .service_state import BusyFlagAdmin, WorkerStateAdmin

__all__ = ["BusyFlagAdmin", "CatalogueAdmin", "DatasetAdmin", "DerivedResultAdmin", "WorkerStateAdmin"]

admin.site.site_header = admin.site.site_title = "WWZD"
admin.site.index_title = "Uploads and their state"
# What the libraries call their own parts says little to those who look after the service.
apps.get_app_config("authtoken").verbose_name = "Access tokens"
apps.get_app_config("django_tasks_database").verbose_name = "Queue"
admin.site.enable_nav_sidebar = False  # the few pages are a click apart, and the list of datasets is wide
