// {{ api.name | remark }} {{ api.version | remark }}, stage {{ api.stage | remark }}. Generated; do not edit.
{% macro typed(of) %}
{%- if of.is == "text" %}String{% elif of.is == "whole" %}Int64{% elif of.is == "number" %}Double{% elif of.is == "flag" %}Bool
{%- elif of.is == "list" %}[{{ typed(of.of) }}]{% elif of.is == "model" %}{{ prefix }}{{ of.name }}{% else %}{{ prefix }}Json{% endif %}
{%- endmacro %}
{% macro answered(of) %}
{%- if of.is == "any" %}Data{% else %}{{ typed(of) }}{% endif %}
{%- endmacro %}

import Foundation

/// Whatever JSON can say.
public enum {{ prefix }}Json: Codable {
    case null
    case flag(Bool)
    case number(Double)
    case text(String)
    indirect case list([{{ prefix }}Json])
    indirect case object([String: {{ prefix }}Json])

    public init(from decoder: Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let flag = try? value.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let list = try? value.decode([{{ prefix }}Json].self) {
            self = .list(list)
        } else {
            self = .object(try value.decode([String: {{ prefix }}Json].self))
        }
    }

    public func encode(to encoder: Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .null: try value.encodeNil()
        case .flag(let flag): try value.encode(flag)
        case .number(let number): try value.encode(number)
        case .text(let text): try value.encode(text)
        case .list(let list): try value.encode(list)
        case .object(let object): try value.encode(object)
        }
    }
}
{% for class in classes %}

public final class {{ prefix }}{{ class.name }}: Codable {
{% for field in class.fields %}
    public var {{ field.camel }}: {{ typed(field.type) }}?
{% endfor %}

    enum CodingKeys: String, CodingKey {
{% for field in class.fields %}
        case {{ field.camel }} = {{ field.wire | quoted }}
{% endfor %}
    }

    public init() {}
}
{% endfor %}

/// A client of the API.
public final class {{ service }}Client {
    private let transport: {{ prefix }}Transport

    public init(configuration: {{ prefix }}Configuration = {{ prefix }}Configuration()) {
        transport = {{ prefix }}Transport(configuration: configuration)
    }
{% for method in methods %}

    /// {{ method.verb | remark }} {{ method.path | remark }}
    public func {{ method.camel }}(
{% for one in method.parameters %}
        {{ one.camel }}: String{% if not one.required %}? = nil{% endif %}{% if not loop.last or method.body is not none %},{% endif %}

{% endfor %}
{% if method.body is not none %}
        body: {{ typed(method.body) }}? = nil
{% endif %}
    ) async throws -> {{ prefix }}Answer<{{ answered(method.result) }}> {
        var request = {{ prefix }}Request(
            verb: {{ method.verb | quoted }}, isSigned: {{ method.signed | tojson }}, isIdempotent: {{ method.idempotent | tojson }})
{% for piece in method.pieces %}
        request.path += {{ piece.text | quoted }}
{% if piece.variable is not none %}
        request.path += encode({{ method.parameters[piece.variable].camel }}, keepsSlashes: {{ piece.greedy | tojson }})
{% endif %}
{% endfor %}
{% for one in method.parameters if one.place != "path" %}
        request.{{ one.place }}({{ one.wire | quoted }}, {{ one.camel }})
{% endfor %}
{% if method.body is not none %}
        if let body = body { request.body = try JSONEncoder().encode(body) }
{% endif %}
        let answer = try await transport.send(request)
{% if method.result.is == "any" %}
        return answer
{% else %}
        let data = try JSONDecoder().decode({{ typed(method.result) }}.self, from: answer.data)
        return {{ prefix }}Answer(status: answer.status, headers: answer.headers, data: data)
{% endif %}
    }
{% endfor %}
}
