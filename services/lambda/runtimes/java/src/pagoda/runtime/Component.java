package pagoda.runtime;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Type;

/** The components of records, by reflection: this client runs on Java 11 too, which has none. */
final class Component {
    private static final Method OF = method(Class.class, "getRecordComponents");
    private static final Class<?> KIND = OF == null ? null : OF.getReturnType().getComponentType();
    private static final Method NAME = method(KIND, "getName");
    private static final Method TYPE = method(KIND, "getGenericType");
    private static final Method RAW = method(KIND, "getType");
    private static final Method ACCESSOR = method(KIND, "getAccessor");

    private Component() {}

    /** Null if the class is no record. */
    static Object[] of(Class<?> record) {
        return OF == null ? null : (Object[]) call(OF, record);
    }

    static String name(Object component) {
        return (String) call(NAME, component);
    }

    static Type type(Object component) {
        return (Type) call(TYPE, component);
    }

    static Method accessor(Object component) {
        return (Method) call(ACCESSOR, component);
    }

    static Object make(Class<?> record, Object[] components, Object[] values) {
        Class<?>[] types = new Class<?>[components.length];
        for (int i = 0; i < types.length; i++) {
            types[i] = (Class<?>) call(RAW, components[i]);
        }
        try {
            return Property.open(record.getDeclaredConstructor(types)).newInstance(values);
        } catch (InvocationTargetException e) {
            throw new JsonException("Cannot make " + record.getName(), e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new JsonException("Cannot make " + record.getName(), e);
        }
    }

    private static Method method(Class<?> of, String name) {
        try {
            return of == null ? null : of.getMethod(name);
        } catch (NoSuchMethodException e) {
            return null;
        }
    }

    private static Object call(Method method, Object on) {
        try {
            return method.invoke(on);
        } catch (ReflectiveOperationException e) {
            throw new JsonException("Cannot look into a record", e);
        }
    }
}
