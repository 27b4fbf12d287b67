package pagoda.runtime;

import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * The environment as programs in C see it: native libraries, and the processes that a function starts. It is what
 * the symbol {@code environ} points to. Java 11 has no way to find it: there is no template of it, and what a
 * function with SnapStart starts there sees the environment of its init code.
 */
final class NativeEnvironment {
    private static final String UNSAFE = "jdk.internal.misc.Unsafe";

    private NativeEnvironment() {}

    static boolean isReachable() {
        return Runtime.version().feature() >= 17;
    }

    static void replace(Map<String, String> environment) throws ReflectiveOperationException {
        Class<?> unsafe = Class.forName(UNSAFE);
        Object memory = method(unsafe, "getUnsafe").invoke(null);
        int size = (environment.size() + 1) * Long.BYTES;
        byte[][] lines = new byte[environment.size()][];
        int next = 0;
        for (Map.Entry<String, String> one : environment.entrySet()) {
            lines[next] = (one.getKey() + "=" + one.getValue() + "\0").getBytes(StandardCharsets.UTF_8);
            size += lines[next++].length;
        }
        // Stays for as long as the process, as the first one did.
        long address = (long) method(unsafe, "allocateMemory", long.class).invoke(memory, (long) size);
        write(unsafe, memory, address, block(address, lines, size));
        ByteBuffer pointer = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder()).putLong(address);
        write(unsafe, memory, symbol("environ"), pointer.array());
    }

    /** Pointers, a null, and behind it the lines that they point to. */
    private static byte[] block(long address, byte[][] lines, int size) {
        ByteBuffer block = ByteBuffer.allocate(size).order(ByteOrder.nativeOrder());
        long at = address + (lines.length + 1L) * Long.BYTES;
        for (byte[] line : lines) {
            block.putLong(at);
            at += line.length;
        }
        block.putLong(0);
        for (byte[] line : lines) {
            block.put(line);
        }
        return block.array();
    }

    private static void write(Class<?> unsafe, Object memory, long address, byte[] bytes)
            throws ReflectiveOperationException {
        long start = ((Number) method(unsafe, "arrayBaseOffset", Class.class).invoke(memory, byte[].class)).longValue();
        method(unsafe, "copyMemory", Object.class, long.class, Object.class, long.class, long.class)
                .invoke(memory, bytes, start, null, address, (long) bytes.length);
    }

    /** The address of a symbol of any library that the process has loaded. */
    private static long symbol(String name) throws ReflectiveOperationException {
        long address;
        if (Runtime.version().feature() >= 18) {
            Class<?> libraries = Class.forName("jdk.internal.loader.NativeLibrary");
            address = (long) method(libraries, "findEntry0", long.class, String.class).invoke(null, 0L, name);
        } else {
            // A library without a handle stands for all.
            Class<?> library = Class.forName("jdk.internal.loader.NativeLibraries$NativeLibraryImpl");
            Constructor<?> constructor =
                    library.getDeclaredConstructor(Class.class, String.class, boolean.class, boolean.class);
            Object all = Property.open(constructor).newInstance(NativeEnvironment.class, name, false, false);
            address = (long) method(library, "find", String.class).invoke(all, name);
        }
        if (address == 0) {
            throw new NoSuchFieldException(name);
        }
        return address;
    }

    private static Method method(Class<?> of, String name, Class<?>... parameters)
            throws ReflectiveOperationException {
        return Property.open(of.getDeclaredMethod(name, parameters));
    }
}
