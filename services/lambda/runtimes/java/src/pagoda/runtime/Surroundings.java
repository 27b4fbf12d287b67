package pagoda.runtime;

import java.io.FileInputStream;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.TimeZone;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;

/** What a process takes for granted from its start, and gets anew when it becomes another's. */
final class Surroundings {
    private Surroundings() {}

    /** The fields below are the JDK's own business; this client's manifest opens their packages to it. */
    @SuppressWarnings("unchecked")
    static void replace(Map<String, String> environment) throws ReflectiveOperationException {
        Class<?> process = Class.forName("java.lang.ProcessEnvironment");
        Method variable = method("java.lang.ProcessEnvironment$Variable");
        Method value = method("java.lang.ProcessEnvironment$Value");
        Map<Object, Object> all = (Map<Object, Object>) field(process, "theEnvironment").get(null);
        all.clear();
        for (Map.Entry<String, String> one : environment.entrySet()) {
            all.put(variable.invoke(null, one.getKey()), value.invoke(null, one.getValue()));
        }
        if (NativeEnvironment.isReachable()) {
            NativeEnvironment.replace(environment);
        }
        String zone = environment.getOrDefault("TZ", "UTC");
        TimeZone.setDefault(TimeZone.getTimeZone(zone.startsWith(":") ? zone.substring(1) : zone));
    }

    /** Random numbers that are not for secrets would otherwise be the same in all that come from one image. */
    static void reseed() throws ReflectiveOperationException, IOException {
        try (FileInputStream random = new FileInputStream("/dev/urandom")) {
            long seed = ByteBuffer.wrap(random.readNBytes(Long.BYTES)).getLong();
            ((AtomicLong) field(ThreadLocalRandom.class, "seeder").get(null)).set(seed);
        }
        field(Thread.class, "threadLocalRandomProbe").setInt(Thread.currentThread(), 0);
    }

    private static Method method(String of) throws ReflectiveOperationException {
        return Property.open(Class.forName(of).getMethod("valueOf", String.class));
    }

    private static Field field(Class<?> of, String name) throws ReflectiveOperationException {
        return Property.open(of.getDeclaredField(name));
    }
}
