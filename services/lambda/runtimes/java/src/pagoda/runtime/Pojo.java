package pagoda.runtime;

import com.amazonaws.services.lambda.runtime.CustomPojoSerializer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.lang.reflect.Type;
import java.util.ServiceLoader;

/** Between events and a handler's objects: by this client, or by the function's own serializer if it names one. */
final class Pojo {
    private static final String SERVICE = "META-INF/services/" + CustomPojoSerializer.class.getName();

    private final CustomPojoSerializer own;

    private Pojo(CustomPojoSerializer own) {
        this.own = own;
    }

    static Pojo of(ClassLoader loader) {
        // Looked for by its name first: the machinery for services is slow to load.
        boolean hasOwn = loader.getResource(SERVICE) != null;
        return new Pojo(hasOwn ? ServiceLoader.load(CustomPojoSerializer.class, loader).iterator().next() : null);
    }

    Object read(byte[] event, Type type) {
        try {
            return isOwn(type) ? own.fromJson(new ByteArrayInputStream(event), type) : JsonReader.read(event, type);
        } catch (RuntimeException e) {
            throw blank("An error occurred during JSON parsing", e);
        }
    }

    byte[] write(Object value, Type type) {
        try {
            if (!isOwn(type) || value == null) {
                return JsonWriter.write(value);
            }
            ByteArrayOutputStream answer = new ByteArrayOutputStream();
            own.toJson(value, answer, type);
            return answer.toByteArray();
        } catch (RuntimeException e) {
            throw blank("An error occurred during JSON serialization of response", e);
        }
    }

    private boolean isOwn(Type type) {
        Class<?> raw = Types.raw(type);
        return own != null && raw != String.class && raw != Object.class && !raw.isPrimitive()
                && !Number.class.isAssignableFrom(raw);
    }

    /** Nothing in the trace but the cause: no code of the function has run. */
    private static RuntimeException blank(String message, RuntimeException cause) {
        RuntimeException error = new RuntimeException(message, cause);
        error.setStackTrace(new StackTraceElement[0]);
        return error;
    }
}
