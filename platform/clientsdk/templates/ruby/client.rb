# {{ api.name | remark }} {{ api.version | remark }}, stage {{ api.stage | remark }}. Generated; do not edit.

require_relative "{{ module }}/transport"
{% macro made(of, value) %}
{%- if of.is == "model" %}{{ of.name }}.of({{ value }}){% elif of.is == "list" and of.of.is in ["model", "list"] %}({{ value }}.is_a?(Array) ? {{ value }}.map { |one| {{ made(of.of, "one") }} } : {{ value }}){% else %}{{ value }}{% endif %}
{%- endmacro %}

module {{ service }}
  ApiError = {{ service }}Transport::ApiError
  Answer = {{ service }}Transport::Answer

  # A value as JSON has it; what is not set is left out.
  def self.plain(value)
    case value
    when Struct
      value.class::WIRE.to_h { |name, wire| [wire, plain(value[name])] }.compact
    when Array
      value.map { |item| plain(item) }
    else
      value
    end
  end
{% for class in classes %}

  {{ class.name }} = Struct.new({% for field in class.fields %}:{{ field.snake }}, {% endfor %}keyword_init: true) do
    def self.of(value)
      return value unless value.is_a?(Hash)

      new(
{% for field in class.fields %}
        {{ field.snake }}: {{ made(field.type, "value[" ~ (field.wire | quoted) ~ "]") }}{% if not loop.last %},{% endif %}

{% endfor %}
      )
    end
  end
  {{ class.name }}::WIRE = {
{% for field in class.fields %}
    {{ field.snake }}: {{ field.wire | quoted }},
{% endfor %}
  }.freeze
{% endfor %}

  # A client of the API. Options are those of the connection, all of which may be left out.
  class Client
    def initialize(endpoint: {{ api.endpoint | quoted }}, region: {{ api.region | quoted }}, **others)
      @connection = {{ service }}Transport::Connection.new(endpoint: endpoint, region: region, **others)
    end
{% for method in methods %}

    # {{ method.verb | remark }} {{ method.path | remark }}
    def {{ method.snake }}({% for one in method.parameters %}{{ one.snake }}:{% if not one.required %} nil{% endif %}{% if not loop.last or method.body is not none %}, {% endif %}{% endfor %}{% if method.body is not none %}body: nil{% endif %})
      path = [
{% for piece in method.pieces %}
        {{ piece.text | quoted }}{% if piece.variable is not none %}, {{ service }}Transport.encode({{ method.parameters[piece.variable].snake }}{% if piece.greedy %}, greedy: true{% endif %}){% endif %},
{% endfor %}
      ].join
      answer = @connection.send_request(
        {{ method.verb | quoted }}, path,
        query: [{% for one in method.parameters if one.place == "query" %}[{{ one.wire | quoted }}, {{ one.snake }}], {% endfor %}],
        headers: [{% for one in method.parameters if one.place == "header" %}[{{ one.wire | quoted }}, {{ one.snake }}], {% endfor %}],
{% if method.body is not none %}
        body: {{ service }}.plain(body),
{% endif %}
        signed: {{ method.signed | tojson }}, idempotent: {{ method.idempotent | tojson }}
      )
{% if method.result.is in ["model", "list"] %}
      answer.data = {{ made(method.result, "answer.data") }}
{% endif %}
      answer
    end
{% endfor %}
  end
end
