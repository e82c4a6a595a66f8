from django.apps import AppConfig


class DatasetsConfig(AppConfig):
    name = "datasets"
    verbose_name = "Datasets"

    def ready(self) -> None:
        from .management import checks  # noqa: F401  registers the system checks
        from .uploads import signals  # noqa: F401  connects the receivers
