"""What every error says."""

from rest_framework import serializers

from datasets.errors import KINDS, URN

from .fields import as_it_is

_TYPES = "\n".join(f"- `{URN}{code}`: {means}" for code, means in KINDS.items())


class ProblemSerializer(serializers.Serializer[dict[str, object]]):
    """Every error: a sentence, and what RFC 9457 calls a problem."""

    error = serializers.CharField(help_text="A sentence for people.")
    type = serializers.ChoiceField(
        [URN + code for code in KINDS],
        help_text=f"Which kind of error it is: it stays the same, whatever becomes of the sentence.\n\n{_TYPES}",
    )
    title = serializers.CharField(help_text="The status, in words.")
    status = serializers.IntegerField(min_value=400, max_value=599)
    detail = serializers.CharField(help_text="The sentence again.")
    params = as_it_is({"type": "object"}, help_text="What stands in the sentence, by name.")
