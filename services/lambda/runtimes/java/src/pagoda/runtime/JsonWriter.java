package pagoda.runtime;

import java.lang.reflect.Array;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Calendar;
import java.util.Date;
import java.util.Map;
import java.util.Optional;

/** Writes objects as UTF-8 JSON. */
final class JsonWriter {
    private static final int DEPTH_MAX = 1000;
    private static final char[] HEX = "0123456789abcdef".toCharArray();

    private byte[] text = new byte[256];
    private int length;
    private int depth;

    private JsonWriter() {}

    static byte[] write(Object value) {
        JsonWriter writer = new JsonWriter();
        writer.value(value);
        return Arrays.copyOf(writer.text, writer.length);
    }

    private void value(Object value) {
        if (value == null) {
            raw("null");
        } else if (value instanceof CharSequence || value instanceof Character) {
            string(value.toString());
        } else if (value instanceof Number) {
            number((Number) value);
        } else if (value instanceof Boolean) {
            raw(value.toString());
        } else if (value instanceof Map) {
            map((Map<?, ?>) value);
        } else if (value instanceof Enum) {
            string(((Enum<?>) value).name());
        } else if (value instanceof byte[]) {
            string(Base64.getEncoder().encodeToString((byte[]) value));
        } else if (value instanceof char[]) {
            string(new String((char[]) value));
        } else if (value instanceof ByteBuffer) {
            ByteBuffer bytes = Base64.getEncoder().encode(((ByteBuffer) value).duplicate());
            string(new String(bytes.array(), 0, bytes.limit(), StandardCharsets.ISO_8859_1));
        } else if (Scalar.isText(value.getClass())) {
            string(value.toString());
        } else if (value instanceof Iterable) {
            array((Iterable<?>) value);
        } else if (value.getClass().isArray()) {
            array(value);
        } else if (value instanceof Date) {
            raw(Long.toString(((Date) value).getTime()));
        } else if (value instanceof Calendar) {
            raw(Long.toString(((Calendar) value).getTimeInMillis()));
        } else if (value instanceof Optional) {
            value(((Optional<?>) value).orElse(null));
        } else {
            bean(value);
        }
    }

    private void number(Number value) {
        String digits = value.toString();
        if (value instanceof Double && !Double.isFinite((Double) value)
                || value instanceof Float && !Float.isFinite((Float) value)) {
            string(digits);
        } else {
            raw(digits);
        }
    }

    private void map(Map<?, ?> map) {
        enter('{');
        boolean first = true;
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            first = member(first, entry.getKey() instanceof Enum
                    ? ((Enum<?>) entry.getKey()).name() : String.valueOf(entry.getKey()), entry.getValue());
        }
        leave('}');
    }

    private void bean(Object value) {
        enter('{');
        boolean first = true;
        for (Property property : Bean.of(value.getClass()).properties()) {
            if (property.isReadable()) {
                first = member(first, property.name, property.get(value));
            }
        }
        leave('}');
    }

    private boolean member(boolean first, String name, Object value) {
        if (!first) {
            put((byte) ',');
        }
        string(name);
        put((byte) ':');
        value(value);
        return false;
    }

    private void array(Iterable<?> elements) {
        enter('[');
        boolean first = true;
        for (Object element : elements) {
            if (!first) {
                put((byte) ',');
            }
            first = false;
            value(element);
        }
        leave(']');
    }

    private void array(Object elements) {
        enter('[');
        for (int i = 0; i < Array.getLength(elements); i++) {
            if (i > 0) {
                put((byte) ',');
            }
            value(Array.get(elements, i));
        }
        leave(']');
    }

    private void enter(char bracket) {
        put((byte) bracket);
        depth += 1;
        if (depth > DEPTH_MAX) {
            throw new JsonException("Nested deeper than " + DEPTH_MAX);
        }
    }

    private void leave(char bracket) {
        put((byte) bracket);
        depth -= 1;
    }

    private void string(String string) {
        put((byte) '"');
        for (int i = 0; i < string.length(); i++) {
            char letter = string.charAt(i);
            if (letter == '"' || letter == '\\') {
                put((byte) '\\');
                put((byte) letter);
            } else if (letter < 0x20) {
                control(letter);
            } else if (letter < 0x80) {
                put((byte) letter);
            } else if (letter < 0x800) {
                put((byte) (0xc0 | letter >> 6));
                put((byte) (0x80 | letter & 0x3f));
            } else if (!Character.isSurrogate(letter)) {
                put((byte) (0xe0 | letter >> 12));
                put((byte) (0x80 | letter >> 6 & 0x3f));
                put((byte) (0x80 | letter & 0x3f));
            } else if (Character.isHighSurrogate(letter) && i + 1 < string.length()
                    && Character.isLowSurrogate(string.charAt(i + 1))) {
                int code = Character.toCodePoint(letter, string.charAt(++i));
                put((byte) (0xf0 | code >> 18));
                put((byte) (0x80 | code >> 12 & 0x3f));
                put((byte) (0x80 | code >> 6 & 0x3f));
                put((byte) (0x80 | code & 0x3f));
            } else {
                escape(letter);
            }
        }
        put((byte) '"');
    }

    private void control(char letter) {
        int short_ = "\b\t\n\f\r".indexOf(letter);
        if (short_ < 0) {
            escape(letter);
        } else {
            put((byte) '\\');
            put((byte) "btnfr".charAt(short_));
        }
    }

    private void escape(char letter) {
        raw("\\u");
        for (int shift = 12; shift >= 0; shift -= 4) {
            put((byte) HEX[letter >> shift & 0xf]);
        }
    }

    private void raw(String ascii) {
        for (int i = 0; i < ascii.length(); i++) {
            put((byte) ascii.charAt(i));
        }
    }

    private void put(byte one) {
        if (length == text.length) {
            text = Arrays.copyOf(text, length * 2);
        }
        text[length++] = one;
    }
}
