package {{ package }};
{% macro typed(of) %}
{%- if of.is == "text" %}String{% elif of.is == "whole" %}Long{% elif of.is == "number" %}Double{% elif of.is == "flag" %}Boolean
{%- elif of.is == "list" %}List<{{ typed(of.of) }}>{% elif of.is == "model" %}Models.{{ of.name }}{% else %}Object{% endif %}
{%- endmacro %}
{% macro made(of, value) %}
{%- if of.is == "text" %}Models.text({{ value }}){% elif of.is == "whole" %}Models.whole({{ value }}){% elif of.is == "number" %}Models.number({{ value }}){% elif of.is == "flag" %}Models.flag({{ value }})
{%- elif of.is == "list" %}Models.list({{ value }}, one -> {{ made(of.of, "one") }}){% elif of.is == "model" %}Models.{{ of.name }}.of({{ value }}){% else %}{{ value }}{% endif %}
{%- endmacro %}

import java.net.URI;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLSocketFactory;

/** A client of {{ api.name | remark }} {{ api.version | remark }}, stage {{ api.stage | remark }}. Generated; do not edit. */
public final class {{ service }} {
    private final Transport transport;

    private {{ service }}(Transport transport) {
        this.transport = transport;
    }

    public static Builder builder() {
        return new Builder();
    }

    /** What a client is made with; all of it may be left out. */
    public static final class Builder {
        private String endpoint = {{ api.endpoint | quoted }};
        private String region = {{ api.region | quoted }};
        private String accessKey;
        private String secretKey;
        private String sessionToken;
        private String apiKey;
        private SSLSocketFactory sockets;
        private int timeoutMillis = 30_000;

        private Builder() {
        }

        public Builder endpoint(String value) {
            endpoint = value;
            return this;
        }

        public Builder region(String value) {
            region = value;
            return this;
        }

        /** For methods that ask IAM; {@code token} is null where the credentials are not those of a session. */
        public Builder iamCredentials(String access, String secret, String token) {
            accessKey = access;
            secretKey = secret;
            sessionToken = token;
            return this;
        }

        /** For methods that require a key. */
        public Builder apiKey(String value) {
            apiKey = value;
            return this;
        }

        public Builder sslSocketFactory(SSLSocketFactory value) {
            sockets = value;
            return this;
        }

        public Builder timeoutMillis(int value) {
            timeoutMillis = value;
            return this;
        }

        public {{ service }} build() {
            Signer signer = accessKey == null ? null : new Signer(region, accessKey, secretKey, sessionToken);
            return new {{ service }}(new Transport(URI.create(endpoint), apiKey, signer, sockets, timeoutMillis));
        }
    }

    /** What the API answered. */
    public static final class Answer<T> {
        private final Transport.Response response;
        private final T data;

        private Answer(Transport.Response response, T data) {
            this.response = response;
            this.data = data;
        }

        public int getStatus() {
            return response.status;
        }

        /** By names in lower case. */
        public Map<String, String> getHeaders() {
            return response.headers;
        }

        public T getData() {
            return data;
        }
    }
{% for method in methods %}

    /** What {@link #{{ method.camel }}} asks for. */
    public static final class {{ method.pascal }}Request {
{% for one in method.parameters %}
        private Object {{ one.camel }};
{% endfor %}
{% if method.body is not none %}
        private {{ typed(method.body) }} body;
{% endif %}
{% for one in method.parameters %}

        public {{ method.pascal }}Request {{ one.camel }}(Object value) {
            {{ one.camel }} = value;
            return this;
        }
{% endfor %}
{% if method.body is not none %}

        public {{ method.pascal }}Request body({{ typed(method.body) }} value) {
            body = value;
            return this;
        }
{% endif %}
    }

    /** {{ method.verb | remark }} {{ method.path | remark }} */
    public Answer<{{ typed(method.result) }}> {{ method.camel }}({{ method.pascal }}Request given) {
        Transport.Request request = new Transport.Request({{ method.verb | quoted }});
{% for piece in method.pieces %}
        request.text({{ piece.text | quoted }});
{% if piece.variable is not none %}
{% set one = method.parameters[piece.variable] %}
        request.variable({{ one.wire | quoted }}, given.{{ one.camel }}, {{ piece.greedy | tojson }});
{% endif %}
{% endfor %}
{% for one in method.parameters if one.place != "path" %}
        request.{{ one.place }}({{ one.wire | quoted }}, given.{{ one.camel }});
{% endfor %}
{% if method.body is not none %}
        request.body = given.body;
{% endif %}
        request.isSigned = {{ method.signed | tojson }};
        request.isIdempotent = {{ method.idempotent | tojson }};
        Transport.Response response = transport.send(request);
        return new Answer<>(response, {{ made(method.result, "response.data") }});
    }
{% endfor %}
}
