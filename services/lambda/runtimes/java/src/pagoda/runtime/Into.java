package pagoda.runtime;

import java.lang.reflect.Array;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;

/** What JSON's objects and arrays become. */
final class Into {
    private static final Class<?>[] MAPS =
            {LinkedHashMap.class, TreeMap.class, ConcurrentHashMap.class, ConcurrentSkipListMap.class};
    private static final Class<?>[] COLLECTIONS =
            {ArrayList.class, LinkedHashSet.class, TreeSet.class, ArrayDeque.class};

    private Into() {}

    /** An object that is being read. */
    interface Members {
        /** The type of a member; null if nobody wants it. */
        Type type(String name);

        void put(String name, Object value);

        Object done();
    }

    /** An array that is being read. */
    interface Elements {
        Type type();

        void add(Object element);

        Object done();
    }

    static Members members(Type type) {
        Class<?> to = Types.raw(type);
        if (to == Object.class || Map.class.isAssignableFrom(to)) {
            return new IntoMap(type, to);
        }
        if (to.isPrimitive() || to.isEnum() || to.isArray() || to == String.class || Number.class.isAssignableFrom(to)
                || Collection.class.isAssignableFrom(to)) {
            throw Scalar.unfit(type, "an object");
        }
        return Bean.of(to).begin(type);
    }

    @SuppressWarnings("unchecked")
    static Elements elements(Type type) {
        Class<?> to = Types.raw(type);
        if (to.isArray()) {
            return new IntoArray(Types.component(type));
        }
        Class<?> made = made(to, COLLECTIONS);
        if (made == null) {
            throw Scalar.unfit(type, "an array");
        }
        Type element = Iterable.class.isAssignableFrom(to) ? Types.argument(type, Iterable.class, 0) : Object.class;
        Collection<Object> collection = (Collection<Object>) Bean.instance(made);
        return new Elements() {
            @Override
            public Type type() {
                return element;
            }

            @Override
            public void add(Object value) {
                collection.add(value);
            }

            @Override
            public Object done() {
                return collection;
            }
        };
    }

    /** The class that is made where {@code to} is wanted: itself, or the usual one. */
    private static Class<?> made(Class<?> to, Class<?>[] usual) {
        for (Class<?> one : usual) {
            if (to.isAssignableFrom(one)) {
                return one;
            }
        }
        boolean fits = Collection.class.isAssignableFrom(to) || Map.class.isAssignableFrom(to);
        return fits && !Modifier.isAbstract(to.getModifiers()) ? to : null;
    }

    private static final class IntoMap implements Members {
        private final Map<Object, Object> map;
        private final Type key;
        private final Type value;

        @SuppressWarnings("unchecked")
        IntoMap(Type type, Class<?> to) {
            Class<?> made = made(to, MAPS);
            if (made == null) {
                throw Scalar.unfit(type, "an object");
            }
            map = (Map<Object, Object>) Bean.instance(made);
            key = to == Object.class ? Object.class : Types.argument(type, Map.class, 0);
            value = to == Object.class ? Object.class : Types.argument(type, Map.class, 1);
        }

        @Override
        public Type type(String name) {
            return value;
        }

        @Override
        public void put(String name, Object member) {
            map.put(Scalar.ofText(name, key), member);
        }

        @Override
        public Object done() {
            return map;
        }
    }

    private static final class IntoArray implements Elements {
        private final List<Object> list = new ArrayList<>();
        private final Type component;

        IntoArray(Type component) {
            this.component = component;
        }

        @Override
        public Type type() {
            return component;
        }

        @Override
        public void add(Object element) {
            list.add(element);
        }

        @Override
        public Object done() {
            Object array = Array.newInstance(Types.raw(component), list.size());
            for (int i = 0; i < list.size(); i++) {
                Array.set(array, i, list.get(i));
            }
            return array;
        }
    }
}
