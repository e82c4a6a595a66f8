"""Django's sessions in the database, without asking it for keys that it never gave."""

from django.contrib.sessions.backends import db


class SessionStore(db.SessionStore):
    """A cookie may hold anything. A NUL, for one, is an error to PostgreSQL."""

    def _validate_session_key(self, key: str | None) -> bool:
        return key is not None and key.isascii() and key.isalnum() and len(key) >= 8
