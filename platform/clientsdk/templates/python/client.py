"""{{ api.name | remark }} {{ api.version | remark }}, stage {{ api.stage | remark }}. Generated; do not edit."""

import dataclasses
import typing

from .transport import Answer, ApiError, Transport, encode
{% macro made(of, value) %}
{%- if of.is == "model" %}{{ of.name }}.of({{ value }}){% elif of.is == "list" and of.of.is in ["model", "list"] %}[{{ made(of.of, "one") }} for one in {{ value }}] if isinstance({{ value }}, list) else {{ value }}{% else %}{{ value }}{% endif %}
{%- endmacro %}

__all__ = ["Answer", "ApiError", "{{ service }}"{% for class in classes %}, "{{ class.name }}"{% endfor %}]


def _plain(value):
    """A value as JSON has it; what is not set is left out."""
    if dataclasses.is_dataclass(value):
        fields = ((wire, getattr(value, name)) for name, wire in value.WIRE.items())
        return {wire: _plain(field) for wire, field in fields if field is not None}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
{% for class in classes %}


@dataclasses.dataclass
class {{ class.name }}:
    WIRE: typing.ClassVar = {
{% for field in class.fields %}
        "{{ field.snake }}": {{ field.wire | quoted }},
{% endfor %}
    }
{% for field in class.fields %}
    {{ field.snake }}: typing.Any = None
{% endfor %}

    @classmethod
    def of(cls, value):
        if not isinstance(value, dict):
            return value
        return cls(
{% for field in class.fields %}
            {{ field.snake }}={{ made(field.type, "value.get(" ~ (field.wire | quoted) ~ ")") }},
{% endfor %}
        )
{% endfor %}


class {{ service }}:
    """A client of the API. Arguments are those of `Transport`, all of which may be left out."""

    def __init__(self, endpoint={{ api.endpoint | quoted }}, region={{ api.region | quoted }}, **others):
        self._transport = Transport(endpoint, region, **others)
{% for method in methods %}

    def {{ method.snake }}(self{% for one in method.parameters if one.required %}, {{ one.snake }}{% endfor %}{% if method.body is not none %}, body=None{% endif %}{% for one in method.parameters if not one.required %}, {{ one.snake }}=None{% endfor %}):
        """{{ method.verb | remark }} {{ method.path | remark }}"""
        path = "".join([
{% for piece in method.pieces %}
            {{ piece.text | quoted }}{% if piece.variable is not none %}, encode({{ method.parameters[piece.variable].snake }}, {% if piece.greedy %}"/"{% else %}""{% endif %}){% endif %},
{% endfor %}
        ])
        answer = self._transport.send(
            {{ method.verb | quoted }}, path,
            query=[{% for one in method.parameters if one.place == "query" %}({{ one.wire | quoted }}, {{ one.snake }}), {% endfor %}],
            headers=[{% for one in method.parameters if one.place == "header" %}({{ one.wire | quoted }}, {{ one.snake }}), {% endfor %}],
{% if method.body is not none %}
            body=_plain(body),
{% endif %}
            signed={{ "True" if method.signed else "False" }}, idempotent={{ "True" if method.idempotent else "False" }},
        )
{% if method.result.is in ["model", "list"] %}
        answer.data = {{ made(method.result, "answer.data") }}
{% endif %}
        return answer
{% endfor %}
