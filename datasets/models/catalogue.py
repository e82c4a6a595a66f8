"""The catalogues, of which the database knows nothing but who may install them."""

from django.db import models


class Catalogue(models.Model):
    """Without rows: catalogues are folders (`datasets.catalogue`). It names permissions, and a page of the admin."""

    class Meta:
        managed = False
        default_permissions = ("change", "view")

    def __str__(self) -> str:
        return "catalogue"
