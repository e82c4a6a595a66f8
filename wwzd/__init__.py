"""The Django project: settings, routes and the server's configuration."""

__version__ = "1.0.0"
