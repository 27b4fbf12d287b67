// {{ api.name | remark }} {{ api.version | remark }}, stage {{ api.stage | remark }}. Generated; do not edit.

package {{ package }}
{% macro typed(of) %}
{%- if of.is == "text" %}String?{% elif of.is == "whole" %}Long?{% elif of.is == "number" %}Double?{% elif of.is == "flag" %}Boolean?
{%- elif of.is == "list" %}List<{{ typed(of.of) }}>?{% elif of.is == "model" %}{{ of.name }}?{% else %}Any?{% endif %}
{%- endmacro %}
{% macro made(of, value) %}
{%- if of.is == "text" %}({{ value }} as? String){% elif of.is == "whole" %}({{ value }} as? Number)?.toLong(){% elif of.is == "number" %}({{ value }} as? Number)?.toDouble(){% elif of.is == "flag" %}({{ value }} as? Boolean)
{%- elif of.is == "list" %}list({{ value }}) { {{ made(of.of, "it") }} }{% elif of.is == "model" %}{{ of.name }}.of({{ value }}){% else %}{{ value }}{% endif %}
{%- endmacro %}

import org.json.JSONObject
{% for class in classes %}

data class {{ class.name }}(
{% for field in class.fields %}
    val {{ field.camel }}: {{ typed(field.type) }} = null,
{% endfor %}
) : Model {
    override fun toJson(): JSONObject {
        val json = JSONObject()
{% for field in class.fields %}
        if ({{ field.camel }} != null) json.put({{ field.wire | quoted }}, wrap({{ field.camel }}))
{% endfor %}
        return json
    }

    companion object {
        internal fun of(value: Any?): {{ class.name }}? {
            val json = value as? JSONObject ?: return null
            return {{ class.name }}(
{% for field in class.fields %}
                {{ field.camel }} = {{ made(field.type, "json.opt(" ~ (field.wire | quoted) ~ ")") }},
{% endfor %}
            )
        }
    }
}
{% endfor %}

/** A client of the API. */
class {{ service }}(configuration: Configuration = Configuration()) {
    private val transport = Transport(configuration)
{% for method in methods %}

    /** {{ method.verb | remark }} {{ method.path | remark }} */
    fun {{ method.camel }}(
{% for one in method.parameters if one.required %}
        {{ one.camel }}: Any,
{% endfor %}
{% if method.body is not none %}
        body: {{ typed(method.body) }} = null,
{% endif %}
{% for one in method.parameters if not one.required %}
        {{ one.camel }}: Any? = null,
{% endfor %}
    ): Answer<{{ typed(method.result) }}> {
        val request = Request({{ method.verb | quoted }}, isSigned = {{ method.signed | tojson }}, isIdempotent = {{ method.idempotent | tojson }})
{% for piece in method.pieces %}
        request.path += {{ piece.text | quoted }}
{% if piece.variable is not none %}
        request.path += encode({{ method.parameters[piece.variable].camel }}.toString(), {{ piece.greedy | tojson }})
{% endif %}
{% endfor %}
{% for one in method.parameters if one.place != "path" %}
        request.{{ one.place }}({{ one.wire | quoted }}, {{ one.camel }})
{% endfor %}
{% if method.body is not none %}
        request.body = body
{% endif %}
        val answer = transport.send(request)
        return Answer(answer.status, answer.headers, {{ made(method.result, "answer.data") }})
    }
{% endfor %}
}
