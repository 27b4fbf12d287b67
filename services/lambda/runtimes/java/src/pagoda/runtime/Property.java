package pagoda.runtime;

import java.lang.reflect.AccessibleObject;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Member;
import java.lang.reflect.Method;
import java.lang.reflect.Type;

/** A named value of a bean, behind its methods or in a field. */
final class Property {
    final String name;
    Method getter;
    Method setter;
    Field field;
    /** Whether the field is public, and so stands in for both methods. */
    boolean isOpen;

    Property(String name) {
        this.name = name;
    }

    boolean isReadable() {
        return getter != null || isOpen;
    }

    /** A field without a setter counts if its getter shows that it is meant. */
    boolean isWritable() {
        return setter != null || field != null && isReadable();
    }

    /** As declared; null where nothing can be set. */
    Type type() {
        if (!isWritable()) {
            return null;
        }
        return setter != null ? setter.getGenericParameterTypes()[0] : field.getGenericType();
    }

    Object get(Object bean) {
        try {
            return getter != null ? open(getter).invoke(bean) : open(field).get(bean);
        } catch (InvocationTargetException e) {
            throw new JsonException("Cannot read \"" + name + "\" of " + bean.getClass().getName(), e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new JsonException("Cannot read \"" + name + "\" of " + bean.getClass().getName(), e);
        }
    }

    void set(Object bean, Object value) {
        try {
            if (setter != null) {
                open(setter).invoke(bean, value);
            } else {
                open(field).set(bean, value);
            }
        } catch (InvocationTargetException e) {
            throw new JsonException("Cannot set \"" + name + "\" of " + bean.getClass().getName(), e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new JsonException("Cannot set \"" + name + "\" of " + bean.getClass().getName(), e);
        }
    }

    /** Members of classes that aren't public can be used, but those of the JDK's modules stay as closed as they are. */
    static <M extends AccessibleObject & Member> M open(M member) {
        try {
            member.setAccessible(true);
        } catch (RuntimeException e) {
            // What is public works without.
        }
        return member;
    }
}
