package pagoda.runtime;

import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** Reads UTF-8 JSON straight into objects of the types that are wanted. */
final class JsonReader {
    private static final int DEPTH_MAX = 1000;

    private final byte[] text;
    private int at;
    private int depth;

    private JsonReader(byte[] text) {
        this.text = text;
    }

    /** The whole text as one value of {@code type}; nothing but blanks is null. */
    static Object read(byte[] text, Type type) {
        JsonReader reader = new JsonReader(text);
        reader.blanks();
        Object value = reader.at < text.length ? reader.value(type) : Scalar.none(type);
        reader.blanks();
        if (reader.at < text.length) {
            throw reader.fault("Unexpected text after the value");
        }
        return value;
    }

    private Object value(Type type) {
        blanks();
        switch (peek()) {
            case '{':
                return object(type);
            case '[':
                return array(type);
            case '"':
                return Scalar.ofText(string(), type);
            case 't':
                word("true");
                return Scalar.ofBoolean(true, type);
            case 'f':
                word("false");
                return Scalar.ofBoolean(false, type);
            case 'n':
                word("null");
                return Scalar.none(type);
            default:
                return Scalar.ofNumber(number(), type);
        }
    }

    private Object object(Type type) {
        enter();
        Into.Members members = Into.members(type);
        if (next('}')) {
            return leave(members.done());
        }
        do {
            blanks();
            if (peek() != '"') {
                throw fault("Expected a name");
            }
            String name = string();
            expect(':');
            Type member = members.type(name);
            if (member == null) {
                value(Object.class);
            } else {
                members.put(name, value(member));
            }
        } while (next(','));
        expect('}');
        return leave(members.done());
    }

    private Object array(Type type) {
        enter();
        Into.Elements elements = Into.elements(type);
        if (next(']')) {
            return leave(elements.done());
        }
        do {
            elements.add(value(elements.type()));
        } while (next(','));
        expect(']');
        return leave(elements.done());
    }

    private void enter() {
        at += 1;
        depth += 1;
        if (depth > DEPTH_MAX) {
            throw fault("Nested deeper than " + DEPTH_MAX);
        }
    }

    private Object leave(Object value) {
        depth -= 1;
        return value;
    }

    // ---- Tokens

    private String number() {
        int start = at;
        next('-');
        int digits = digits();
        if (digits == 0 || digits > 1 && text[at - digits] == '0') {
            throw fault("Unexpected character");
        }
        if (at < text.length && text[at] == '.') {
            at += 1;
            if (digits() == 0) {
                throw fault("Expected a digit");
            }
        }
        if (at < text.length && (text[at] == 'e' || text[at] == 'E')) {
            at += 1;
            if (at < text.length && (text[at] == '+' || text[at] == '-')) {
                at += 1;
            }
            if (digits() == 0) {
                throw fault("Expected a digit");
            }
        }
        return new String(text, start, at - start, StandardCharsets.ISO_8859_1);
    }

    private int digits() {
        int start = at;
        while (at < text.length && text[at] >= '0' && text[at] <= '9') {
            at += 1;
        }
        return at - start;
    }

    private String string() {
        int start = ++at;
        while (true) {
            byte here = peek();
            if (here == '"') {
                return new String(text, start, at++ - start, StandardCharsets.UTF_8);
            }
            if (here == '\\') {
                return escaped(start);
            }
            if (here >= 0 && here < 0x20) {
                throw fault("Unescaped control character in a string");
            }
            at += 1;
        }
    }

    private String escaped(int start) {
        StringBuilder whole = new StringBuilder();
        while (true) {
            byte here = peek();
            if (here != '"' && here != '\\') {
                if (here >= 0 && here < 0x20) {
                    throw fault("Unescaped control character in a string");
                }
                at += 1;
                continue;
            }
            whole.append(new String(text, start, at - start, StandardCharsets.UTF_8));
            at += 1;
            if (here == '"') {
                return whole.toString();
            }
            whole.append(escape());
            start = at;
        }
    }

    private char escape() {
        byte kind = peek();
        at += 1;
        switch (kind) {
            case '"':
            case '\\':
            case '/':
                return (char) kind;
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'u':
                int code = 0;
                for (int i = 0; i < 4; i++, at++) {
                    int digit = Character.digit(peek(), 16);
                    if (digit < 0) {
                        throw fault("Expected a hexadecimal digit");
                    }
                    code = code << 4 | digit;
                }
                return (char) code;
            default:
                throw fault("Unknown escape");
        }
    }

    private void word(String word) {
        for (int i = 0; i < word.length(); i++, at++) {
            if (peek() != word.charAt(i)) {
                throw fault("Unexpected character");
            }
        }
    }

    private void blanks() {
        while (at < text.length && (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t')) {
            at += 1;
        }
    }

    private boolean next(char wanted) {
        blanks();
        boolean is = at < text.length && text[at] == wanted;
        at += is ? 1 : 0;
        return is;
    }

    private void expect(char wanted) {
        if (!next(wanted)) {
            throw fault("Expected '" + wanted + "'");
        }
    }

    private byte peek() {
        if (at >= text.length) {
            throw fault("Unexpected end");
        }
        return text[at];
    }

    private JsonException fault(String message) {
        return new JsonException(message + " at byte " + at);
    }

    /** A JSON object, for the client's own use. */
    @SuppressWarnings("unchecked")
    static Map<String, Object> object(byte[] text) {
        return (Map<String, Object>) read(text, Map.class);
    }
}
