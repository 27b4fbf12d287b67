package pagoda.runtime;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Base64;
import java.util.Date;
import java.util.Optional;

/** Single values, from JSON's few kinds into Java's many. */
final class Scalar {
    /** Points in time below this are seconds, as services send them, and milliseconds above. */
    private static final BigDecimal SECONDS_MAX = BigDecimal.valueOf(100_000_000_000L);
    private static final BigDecimal THOUSAND = BigDecimal.valueOf(1000);
    private static final String[] FACTORIES = {"parse", "fromString", "valueOf", "of", "create", "compile"};

    private Scalar() {}

    /** Whether objects of this class are written as their text. */
    static boolean isText(Class<?> of) {
        String name = of.getName();
        return name.startsWith("java.time.") || name.startsWith("java.net.") || name.startsWith("org.joda.time.")
                || name.startsWith("sun.nio.fs.") || name.equals("java.util.UUID") || name.equals("java.util.Locale")
                || name.equals("java.util.Currency") || name.equals("java.util.regex.Pattern")
                || name.equals("java.io.File") || of == Class.class || java.util.TimeZone.class.isAssignableFrom(of);
    }

    /** What null is in this type. */
    static Object none(Type type) {
        Class<?> to = Types.raw(type);
        if (to == Optional.class) {
            return Optional.empty();
        }
        if (to == boolean.class) {
            return false;
        }
        if (to == char.class) {
            return '\0';
        }
        return to.isPrimitive() && to != void.class ? ofNumber("0", type) : null;
    }

    static Object ofBoolean(boolean value, Type type) {
        Class<?> to = Types.raw(type);
        if (to == boolean.class || to.isAssignableFrom(Boolean.class)) {
            return value;
        }
        if (to == String.class) {
            return Boolean.toString(value);
        }
        if (to == Optional.class) {
            return Optional.of(ofBoolean(value, Types.argument(type, Optional.class, 0)));
        }
        throw unfit(type, "a boolean");
    }

    static Object ofNumber(String text, Type type) {
        Class<?> to = Types.raw(type);
        if (to == int.class || to == Integer.class) {
            return (int) whole(text, Integer.MIN_VALUE, Integer.MAX_VALUE);
        }
        if (to == long.class || to == Long.class) {
            return whole(text, Long.MIN_VALUE, Long.MAX_VALUE);
        }
        if (to == double.class || to == Double.class) {
            return Double.valueOf(text);
        }
        if (to.isAssignableFrom(Integer.class)) {
            return natural(text);
        }
        if (to == float.class || to == Float.class) {
            return Float.valueOf(text);
        }
        if (to == short.class || to == Short.class) {
            return (short) whole(text, Short.MIN_VALUE, Short.MAX_VALUE);
        }
        if (to == byte.class || to == Byte.class) {
            return (byte) whole(text, Byte.MIN_VALUE, 0xff);
        }
        if (to == BigDecimal.class) {
            return new BigDecimal(text);
        }
        if (to == BigInteger.class) {
            return new BigDecimal(text).toBigInteger();
        }
        if (to == boolean.class || to == Boolean.class) {
            return new BigDecimal(text).signum() != 0;
        }
        if (to == Date.class || to == Instant.class) {
            Instant time = time(new BigDecimal(text));
            return to == Date.class ? Date.from(time) : time;
        }
        if (to == Optional.class) {
            return Optional.of(ofNumber(text, Types.argument(type, Optional.class, 0)));
        }
        return to == String.class ? text : made(text, to);
    }

    static Object ofText(String text, Type type) {
        Class<?> to = Types.raw(type);
        if (to.isAssignableFrom(String.class)) {
            return text;
        }
        if (to.isEnum()) {
            return constant(text, to);
        }
        if (to == boolean.class || to == Boolean.class) {
            return truth(text);
        }
        if (to == char.class || to == Character.class) {
            if (text.length() != 1) {
                throw unfit(type, "a string of " + text.length() + " characters");
            }
            return text.charAt(0);
        }
        if (to == byte[].class) {
            return Base64.getDecoder().decode(text);
        }
        if (to == ByteBuffer.class) {
            return ByteBuffer.wrap(Base64.getDecoder().decode(text));
        }
        if (to == char[].class) {
            return text.toCharArray();
        }
        if (to == Date.class) {
            return Date.from(OffsetDateTime.parse(text).toInstant());
        }
        if (to == Optional.class) {
            return Optional.of(ofText(text, Types.argument(type, Optional.class, 0)));
        }
        if (to.isPrimitive() || Number.class.isAssignableFrom(to)) {
            return text.isBlank() ? none(type) : ofNumber(text.trim(), type);
        }
        return made(text, to);
    }

    private static Object natural(String text) {
        if (text.indexOf('.') >= 0 || text.indexOf('e') >= 0 || text.indexOf('E') >= 0) {
            return Double.valueOf(text);
        }
        if (text.length() < 19) {
            long value = Long.parseLong(text);
            // Not by ?:, which would make both a Long.
            if (value == (int) value) {
                return (int) value;
            }
            return value;
        }
        BigInteger large = new BigInteger(text);
        return large.bitLength() < 64 ? (Number) large.longValue() : large;
    }

    private static long whole(String text, long min, long max) {
        long value;
        try {
            value = text.length() < 19 && text.indexOf('.') < 0 && text.indexOf('e') < 0 && text.indexOf('E') < 0
                    ? Long.parseLong(text) : new BigDecimal(text).toBigInteger().longValueExact();
        } catch (ArithmeticException e) {
            throw new JsonException("Numeric value (" + text + ") out of range", e);
        }
        if (value < min || value > max) {
            throw new JsonException("Numeric value (" + text + ") out of range");
        }
        return value;
    }

    private static Instant time(BigDecimal number) {
        BigDecimal millis = number.abs().compareTo(SECONDS_MAX) < 0 ? number.multiply(THOUSAND) : number;
        return Instant.ofEpochMilli(millis.longValue());
    }

    private static boolean truth(String text) {
        if (text.equalsIgnoreCase("true") || text.equalsIgnoreCase("false")) {
            return Boolean.parseBoolean(text);
        }
        throw unfit(boolean.class, "the string \"" + text + "\"");
    }

    private static Object constant(String text, Class<?> to) {
        for (Object one : to.getEnumConstants()) {
            if (((Enum<?>) one).name().equals(text)) {
                return one;
            }
        }
        throw unfit(to, "the string \"" + text + "\": not one of its values");
    }

    /** By the factory method or the constructor that takes a text. */
    private static Object made(String text, Class<?> to) {
        try {
            for (String name : FACTORIES) {
                for (Class<?> from : new Class<?>[] {CharSequence.class, String.class}) {
                    Method factory = factory(to, name, from);
                    if (factory != null) {
                        return factory.invoke(null, text);
                    }
                }
            }
            if (!Modifier.isAbstract(to.getModifiers())) {
                Constructor<?> constructor = to.getConstructor(String.class);
                return constructor.newInstance(text);
            }
        } catch (InvocationTargetException e) {
            throw new JsonException("Cannot make " + to.getTypeName() + " of \"" + text + "\"", e.getCause());
        } catch (ReflectiveOperationException e) {
            throw unfit(to, "a single value");
        }
        throw unfit(to, "a single value");
    }

    private static Method factory(Class<?> to, String name, Class<?> from) {
        try {
            Method method = to.getMethod(name, from);
            boolean fits = Modifier.isStatic(method.getModifiers()) && to.isAssignableFrom(method.getReturnType());
            return fits ? method : null;
        } catch (NoSuchMethodException e) {
            return null;
        }
    }

    static JsonException unfit(Type type, String what) {
        return new JsonException("Cannot make " + Types.raw(type).getTypeName() + " of " + what);
    }
}
