package {{ package }};
{% macro typed(of) %}
{%- if of.is == "text" %}String{% elif of.is == "whole" %}Long{% elif of.is == "number" %}Double{% elif of.is == "flag" %}Boolean
{%- elif of.is == "list" %}List<{{ typed(of.of) }}>{% elif of.is == "model" %}{{ of.name }}{% else %}Object{% endif %}
{%- endmacro %}
{% macro made(of, value) %}
{%- if of.is == "text" %}text({{ value }}){% elif of.is == "whole" %}whole({{ value }}){% elif of.is == "number" %}number({{ value }}){% elif of.is == "flag" %}flag({{ value }})
{%- elif of.is == "list" %}list({{ value }}, one -> {{ made(of.of, "one") }}){% elif of.is == "model" %}{{ of.name }}.of({{ value }}){% else %}{{ value }}{% endif %}
{%- endmacro %}

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** The API's models. */
public final class Models {
    private Models() {
    }

    /** What can be said in JSON. */
    public interface Model {
        /** Its fields that are set, by the names that they have in JSON. */
        Map<String, Object> toMap();
    }

    static String text(Object value) {
        return value == null ? null : String.valueOf(value);
    }

    static Long whole(Object value) {
        return value instanceof Number ? (Long) ((Number) value).longValue() : null;
    }

    static Double number(Object value) {
        return value instanceof Number ? (Double) ((Number) value).doubleValue() : null;
    }

    static Boolean flag(Object value) {
        return value instanceof Boolean ? (Boolean) value : null;
    }

    static <T> List<T> list(Object value, Function<Object, T> of) {
        if (!(value instanceof List)) {
            return null;
        }
        List<T> items = new ArrayList<>();
        for (Object item : (List<?>) value) {
            items.add(of.apply(item));
        }
        return items;
    }
{% for class in classes %}

    public static final class {{ class.name }} implements Model {
{% for field in class.fields %}
        private {{ typed(field.type) }} {{ field.camel }};
{% endfor %}

        static {{ class.name }} of(Object value) {
            if (!(value instanceof Map)) {
                return null;
            }
            Map<?, ?> fields = (Map<?, ?>) value;
            {{ class.name }} read = new {{ class.name }}();
{% for field in class.fields %}
            read.{{ field.camel }} = {{ made(field.type, "fields.get(" ~ (field.wire | quoted) ~ ")") }};
{% endfor %}
            return read;
        }
{% for field in class.fields %}

        public {{ typed(field.type) }} {{ field.camel }}() {
            return {{ field.camel }};
        }

        public {{ class.name }} {{ field.camel }}({{ typed(field.type) }} value) {
            {{ field.camel }} = value;
            return this;
        }
{% endfor %}

        @Override
        public Map<String, Object> toMap() {
            Map<String, Object> fields = new LinkedHashMap<>();
{% for field in class.fields %}
            if ({{ field.camel }} != null) {
                fields.put({{ field.wire | quoted }}, {{ field.camel }});
            }
{% endfor %}
            return fields;
        }
    }
{% endfor %}
}
