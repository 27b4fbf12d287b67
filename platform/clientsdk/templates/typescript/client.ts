// {{ api.name | remark }} {{ api.version | remark }}, stage {{ api.stage | remark }}. Generated; do not edit.
{% macro typed(of) %}
{%- if of.is == "text" %}string{% elif of.is == "whole" or of.is == "number" %}number{% elif of.is == "flag" %}boolean
{%- elif of.is == "list" %}Array<{{ typed(of.of) }}>{% elif of.is == "model" %}{{ of.name }}{% else %}any{% endif %}
{%- endmacro %}
import { type Answer, type Config, type Operation, send } from "./transport.js";

export { type Answer, ApiError, type Config } from "./transport.js";
{% for class in classes %}

export interface {{ class.name }} {
{% for field in class.fields %}
  {{ field.wire | quoted }}?: {{ typed(field.type) }};
{% endfor %}
}
{% endfor %}
{% for method in methods %}

const {{ method.camel }}Operation: Operation = {
  verb: {{ method.verb | quoted }},
  path: {{ method.path | quoted }},
  signed: {{ method.signed | tojson }},
  idempotent: {{ method.idempotent | tojson }},
  pieces: [
{% for piece in method.pieces %}
    [{{ piece.text | quoted }}, {% if piece.variable is none %}null{% else %}{{ method.parameters[piece.variable].wire | quoted }}{% endif %}, {{ piece.greedy | tojson }}],
{% endfor %}
  ],
  parameters: [
{% for one in method.parameters %}
    { name: {{ one.wire | quoted }}, place: {{ one.place | quoted }}, required: {{ one.required | tojson }} },
{% endfor %}
  ],
};
{% endfor %}

/** A client of the API. */
export class Client {
  private readonly config: Config;

  constructor(config: Config = {}) {
    this.config = { region: {{ api.region | quoted }}, endpoint: {{ api.endpoint | quoted }}, ...config };
  }
{% for method in methods %}

  /** {{ method.verb | remark }} {{ method.path | remark }} */
  {{ method.camel }}(
    parameters: {
{% for one in method.parameters %}
      {{ one.wire | quoted }}{% if not one.required %}?{% endif %}: string | number | boolean{% if one.place == "query" %} | (string | number | boolean)[]{% endif %};
{% endfor %}
    },
{% if method.body is not none %}
    body?: {{ typed(method.body) }},
{% endif %}
  ): Promise<Answer<{{ typed(method.result) }}>> {
    return send(this.config, {{ method.camel }}Operation, parameters{% if method.body is not none %}, body{% endif %});
  }
{% endfor %}
}
