package {{ package }};

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** JSON as maps, lists, texts, numbers and flags. */
final class Json {
    private static final int DEPTH_MAX = 128;
    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    static Object read(String text) {
        Json json = new Json(text);
        Object value = json.value(0);
        json.space();
        if (json.at < text.length()) {
            throw json.malformed();
        }
        return value;
    }

    private Object value(int depth) {
        space();
        if (at >= text.length() || depth > DEPTH_MAX) {
            throw malformed();
        }
        switch (text.charAt(at)) {
            case '{': return object(depth);
            case '[': return list(depth);
            case '"': return string();
            case 't': return word("true", Boolean.TRUE);
            case 'f': return word("false", Boolean.FALSE);
            case 'n': return word("null", null);
            default: return number();
        }
    }

    private Map<String, Object> object(int depth) {
        Map<String, Object> fields = new LinkedHashMap<>();
        at++;
        for (space(); !eat('}'); space()) {
            if (!fields.isEmpty()) {
                expect(',');
                space();
            }
            String name = string();
            space();
            expect(':');
            fields.put(name, value(depth + 1));
        }
        return fields;
    }

    private List<Object> list(int depth) {
        List<Object> items = new ArrayList<>();
        at++;
        for (space(); !eat(']'); space()) {
            if (!items.isEmpty()) {
                expect(',');
            }
            items.add(value(depth + 1));
        }
        return items;
    }

    private String string() {
        expect('"');
        StringBuilder out = new StringBuilder();
        while (at < text.length()) {
            char letter = text.charAt(at++);
            if (letter == '"') {
                return out.toString();
            }
            out.append(letter == '\\' ? escape() : letter);
        }
        throw malformed();
    }

    private char escape() {
        if (at >= text.length()) {
            throw malformed();
        }
        char letter = text.charAt(at++);
        switch (letter) {
            case 'b': return '\b';
            case 'f': return '\f';
            case 'n': return '\n';
            case 'r': return '\r';
            case 't': return '\t';
            case 'u':
                if (at + 4 > text.length()) {
                    throw malformed();
                }
                at += 4;
                return (char) Integer.parseInt(text.substring(at - 4, at), 16);
            default: return letter;
        }
    }

    private Object number() {
        int from = at;
        while (at < text.length() && "+-.0123456789eE".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        String digits = text.substring(from, at);
        try {
            BigDecimal number = new BigDecimal(digits);
            boolean isWhole = digits.indexOf('.') < 0 && digits.indexOf('e') < 0 && digits.indexOf('E') < 0;
            return isWhole && number.precision() < 19 ? (Object) number.longValueExact() : number.doubleValue();
        } catch (NumberFormatException none) {
            throw malformed();
        }
    }

    private Object word(String word, Object value) {
        if (!text.startsWith(word, at)) {
            throw malformed();
        }
        at += word.length();
        return value;
    }

    private void space() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private boolean eat(char letter) {
        boolean isHere = at < text.length() && text.charAt(at) == letter;
        if (isHere) {
            at++;
        }
        return isHere;
    }

    private void expect(char letter) {
        if (!eat(letter)) {
            throw malformed();
        }
    }

    private IllegalArgumentException malformed() {
        return new IllegalArgumentException("Malformed JSON at " + at);
    }

    static String write(Object value) {
        StringBuilder out = new StringBuilder();
        write(out, value);
        return out.toString();
    }

    private static void write(StringBuilder out, Object value) {
        if (value instanceof Models.Model) {
            write(out, ((Models.Model) value).toMap());
        } else if (value instanceof Map) {
            String separator = "{";
            for (Map.Entry<?, ?> field : ((Map<?, ?>) value).entrySet()) {
                out.append(separator);
                quote(out, String.valueOf(field.getKey()));
                out.append(':');
                write(out, field.getValue());
                separator = ",";
            }
            out.append(separator.equals("{") ? "{}" : "}");
        } else if (value instanceof Iterable) {
            String separator = "[";
            for (Object item : (Iterable<?>) value) {
                out.append(separator);
                write(out, item);
                separator = ",";
            }
            out.append(separator.equals("[") ? "[]" : "]");
        } else if (value == null || value instanceof Number || value instanceof Boolean) {
            out.append(value);
        } else {
            quote(out, String.valueOf(value));
        }
    }

    private static void quote(StringBuilder out, String text) {
        out.append('"');
        for (int at = 0; at < text.length(); at++) {
            char letter = text.charAt(at);
            if (letter == '"' || letter == '\\') {
                out.append('\\').append(letter);
            } else if (letter < ' ') {
                out.append(String.format("\\u%04x", (int) letter));
            } else {
                out.append(letter);
            }
        }
        out.append('"');
    }
}
