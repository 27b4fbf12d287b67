package pagoda.runtime;

import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The properties of a class: those with a getter, a setter or a public field, under the names that Jackson gives
 * them. Names that differ from a member's only in their case are found too: AWS's events have "Records" and
 * "eventSourceARN" where their classes have getRecords and getEventSourceArn.
 */
final class Bean {
    private static final Map<Class<?>, Bean> KNOWN = new ConcurrentHashMap<>();

    private final Class<?> of;
    /** In the order of the fields' declarations, then of their names. */
    private final Map<String, Property> properties = new LinkedHashMap<>();
    private final Map<String, Property> anyCase = new HashMap<>();
    /** The components, if it is a record. */
    private final Object[] components;

    private Bean(Class<?> of) {
        this.of = of;
        components = Component.of(of);
        if (components != null) {
            for (Object component : components) {
                property(Component.name(component)).getter = Component.accessor(component);
            }
        } else {
            fields(of);
            methods();
            properties.values().removeIf(one -> !one.isReadable() && !one.isWritable());
        }
        for (Property property : properties.values()) {
            anyCase.putIfAbsent(property.name.toLowerCase(java.util.Locale.ROOT), property);
        }
    }

    static Bean of(Class<?> of) {
        Bean known = KNOWN.get(of);
        if (known == null) {
            known = new Bean(of);
            KNOWN.put(of, known);
        }
        return known;
    }

    Collection<Property> properties() {
        return properties.values();
    }

    private Property named(String name) {
        Property exact = properties.get(name);
        return exact != null ? exact : anyCase.get(name.toLowerCase(java.util.Locale.ROOT));
    }

    private Property property(String name) {
        return properties.computeIfAbsent(name, Property::new);
    }

    private void fields(Class<?> in) {
        if (in == null || in == Object.class) {
            return;
        }
        fields(in.getSuperclass());
        for (Field field : in.getDeclaredFields()) {
            int modifiers = field.getModifiers();
            if (Modifier.isStatic(modifiers) || Modifier.isTransient(modifiers) || field.isSynthetic()) {
                continue;
            }
            Property property = property(field.getName());
            property.field = field;
            property.isOpen = Modifier.isPublic(modifiers);
        }
    }

    private void methods() {
        // In an order that is the same each time.
        Map<String, Method> sorted = new TreeMap<>();
        for (Method method : of.getMethods()) {
            boolean counts = !Modifier.isStatic(method.getModifiers()) && !method.isBridge() && !method.isSynthetic();
            if (counts && method.getDeclaringClass() != Object.class) {
                sorted.putIfAbsent(method.getName() + ' ' + method.toGenericString(), method);
            }
        }
        for (Method method : sorted.values()) {
            int count = method.getParameterCount();
            Class<?> gives = method.getReturnType();
            String get = after(method, "get");
            String is = after(method, "is");
            String set = after(method, "set");
            if (count == 0 && get != null && gives != void.class) {
                meant(get).getter = method;
            } else if (count == 0 && is != null && (gives == boolean.class || gives == Boolean.class)) {
                meant(is).getter = method;
            } else if (count == 1 && set != null) {
                setter(meant(set), method);
            }
        }
    }

    /** Of several setters the one counts that takes what the getter or the field gives. */
    private static void setter(Property property, Method method) {
        Class<?> given = property.getter != null ? property.getter.getReturnType()
                : property.field != null ? property.field.getType() : null;
        if (property.setter == null || method.getParameterTypes()[0] == given) {
            property.setter = method;
        }
    }

    /** The property of a method's name; a field that is spelled like it but for the case is the same. */
    private Property meant(String name) {
        if (!properties.containsKey(name)) {
            for (Property property : properties.values()) {
                if (property.name.equalsIgnoreCase(name) && property.field != null && !property.isOpen
                        && property.getter == null && property.setter == null) {
                    Property renamed = property(name);
                    renamed.field = property.field;
                    return renamed;
                }
            }
        }
        return property(name);
    }

    /** "url" of getURL: leading capitals are lowered. */
    private static String after(Method method, String prefix) {
        String name = method.getName();
        if (!name.startsWith(prefix) || name.length() == prefix.length()) {
            return null;
        }
        char[] rest = name.substring(prefix.length()).toCharArray();
        for (int i = 0; i < rest.length && Character.isUpperCase(rest[i]); i++) {
            rest[i] = Character.toLowerCase(rest[i]);
        }
        return new String(rest);
    }

    // ---- Making one

    Into.Members begin(Type type) {
        return components != null ? new IntoRecord(type) : new IntoBean(type);
    }

    private final class IntoBean implements Into.Members {
        private final Type type;
        private final Object bean = instance(of);

        IntoBean(Type type) {
            this.type = type;
        }

        @Override
        public Type type(String name) {
            Property property = named(name);
            Type declared = property == null ? null : property.type();
            return declared == null ? null : Types.resolve(declared, type);
        }

        @Override
        public void put(String name, Object value) {
            named(name).set(bean, value);
        }

        @Override
        public Object done() {
            return bean;
        }
    }

    private final class IntoRecord implements Into.Members {
        private final Type type;
        private final List<String> names = new ArrayList<>();
        private final Object[] values = new Object[components.length];

        IntoRecord(Type type) {
            this.type = type;
            for (int i = 0; i < components.length; i++) {
                names.add(Component.name(components[i]));
                values[i] = Scalar.none(Component.type(components[i]));
            }
        }

        private int index(String name) {
            Property property = named(name);
            return property == null ? -1 : names.indexOf(property.name);
        }

        @Override
        public Type type(String name) {
            int index = index(name);
            return index < 0 ? null : Types.resolve(Component.type(components[index]), type);
        }

        @Override
        public void put(String name, Object value) {
            values[index(name)] = value;
        }

        @Override
        public Object done() {
            return Component.make(of, components, values);
        }
    }

    /** A new object, by its constructor without arguments; of a class that has none, one whose fields are empty. */
    static Object instance(Class<?> of) {
        if (Modifier.isAbstract(of.getModifiers())) {
            throw Scalar.unfit(of, "an object: it is abstract");
        }
        try {
            Constructor<?> constructor = of.getDeclaredConstructor();
            return Property.open(constructor).newInstance();
        } catch (NoSuchMethodException e) {
            return empty(of);
        } catch (InvocationTargetException e) {
            throw new JsonException("Cannot make " + of.getName(), e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new JsonException("Cannot make " + of.getName(), e);
        }
    }

    private static Object empty(Class<?> of) {
        try {
            Class<?> unsafe = Class.forName("sun.misc.Unsafe");
            Object the = Property.open(unsafe.getDeclaredField("theUnsafe")).get(null);
            return unsafe.getMethod("allocateInstance", Class.class).invoke(the, of);
        } catch (ReflectiveOperationException e) {
            throw new JsonException("Cannot make " + of.getName(), e);
        }
    }
}
