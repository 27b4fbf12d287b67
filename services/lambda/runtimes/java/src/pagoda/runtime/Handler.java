package pagoda.runtime;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.util.Arrays;

/**
 * The function, whatever form it has.
 *
 * <p>https://docs.aws.amazon.com/lambda/latest/dg/java-handler.html
 */
interface Handler {
    byte[] handle(byte[] event, Context context) throws Throwable;

    /** The handler that {@code package.Class::method} or {@code package.Class} names; runs its class's init code. */
    static Handler load(String name, ClassLoader loader) throws Throwable {
        int colons = name.indexOf("::");
        String className = colons < 0 ? name : name.substring(0, colons);
        String method = colons < 0 ? "handleRequest" : name.substring(colons + 2);
        Class<?> of = load(className, loader, name);
        Pojo pojo = Pojo.of(loader);
        boolean isInterfaces = method.equals("handleRequest");
        if (isInterfaces && RequestStreamHandler.class.isAssignableFrom(of)) {
            return new Streaming((RequestStreamHandler) made(of));
        }
        if (isInterfaces && RequestHandler.class.isAssignableFrom(of)) {
            return new Requesting((RequestHandler<?, ?>) made(of), pojo);
        }
        if (colons < 0) {
            throw new Exception("Class " + className + " does not implement an appropriate handler interface");
        }
        Method chosen = choose(of, method);
        return new Calling(Modifier.isStatic(chosen.getModifiers()) ? null : made(of), Property.open(chosen), of, pojo);
    }

    private static Class<?> load(String className, ClassLoader loader, String handler) throws ClassNotFoundException {
        try {
            return Class.forName(className, true, loader);
        } catch (ClassNotFoundException e) {
            if (!className.equals(e.getMessage())) {
                throw e;
            }
            throw new ClassNotFoundException("Class not found: " + className);
        }
    }

    private static Object made(Class<?> of) throws Throwable {
        try {
            return Property.open(of.getDeclaredConstructor()).newInstance();
        } catch (NoSuchMethodException e) {
            throw new Exception("Class " + of.getName() + " has no public zero-argument constructor");
        } catch (InstantiationException e) {
            throw new Exception("Class " + of.getName() + " cannot be instantiated: it is abstract");
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    /** Of methods with the same name, the one with most parameters; of those, one with a context at its end. */
    private static Method choose(Class<?> of, String name) throws NoSuchMethodException {
        Method best = null;
        for (Method method : of.getMethods()) {
            if (method.getName().equals(name) && !method.isBridge() && !method.isSynthetic() && fits(method)
                    && (best == null || rank(method) > rank(best))) {
                best = method;
            }
        }
        if (best == null) {
            throw new NoSuchMethodException("No public method named " + name
                    + " with appropriate method signature found on class " + of.getName());
        }
        return best;
    }

    private static int rank(Method method) {
        return method.getParameterCount() * 2 + (hasContext(method.getParameterTypes()) ? 1 : 0);
    }

    private static boolean hasContext(Class<?>[] parameters) {
        return parameters.length > 0 && parameters[parameters.length - 1].isAssignableFrom(Context.class)
                && parameters[parameters.length - 1] != Object.class;
    }

    /** (), (event), (in, out), each with or without a context behind it. */
    private static boolean fits(Method method) {
        Class<?>[] parameters = method.getParameterTypes();
        int events = parameters.length - (hasContext(parameters) ? 1 : 0);
        return events < 2 || events == 2 && parameters[0] == InputStream.class && parameters[1] == OutputStream.class;
    }

    /** For {@link RequestStreamHandler}. */
    final class Streaming implements Handler {
        private final RequestStreamHandler handler;

        Streaming(RequestStreamHandler handler) {
            this.handler = handler;
        }

        @Override
        public byte[] handle(byte[] event, Context context) throws Throwable {
            ByteArrayOutputStream answer = new ByteArrayOutputStream();
            handler.handleRequest(new ByteArrayInputStream(event), answer, context);
            return answer.toByteArray();
        }
    }

    /** For {@link RequestHandler}. */
    final class Requesting implements Handler {
        private final RequestHandler<Object, Object> handler;
        private final Type in;
        private final Type out;
        private final Pojo pojo;

        @SuppressWarnings("unchecked")
        Requesting(RequestHandler<?, ?> handler, Pojo pojo) {
            this.handler = (RequestHandler<Object, Object>) handler;
            this.pojo = pojo;
            in = Types.argument(handler.getClass(), RequestHandler.class, 0);
            out = Types.argument(handler.getClass(), RequestHandler.class, 1);
        }

        @Override
        public byte[] handle(byte[] event, Context context) {
            return pojo.write(handler.handleRequest(pojo.read(event, in), context), out);
        }
    }

    /** For any method. */
    final class Calling implements Handler {
        private final Object on;
        private final Method method;
        private final Type[] in;
        private final Type out;
        private final boolean hasContext;
        private final boolean isStream;
        private final Pojo pojo;

        Calling(Object on, Method method, Class<?> of, Pojo pojo) {
            this.on = on;
            this.method = method;
            this.pojo = pojo;
            in = method.getGenericParameterTypes();
            for (int i = 0; i < in.length; i++) {
                in[i] = Types.resolve(in[i], of);
            }
            out = Types.resolve(method.getGenericReturnType(), of);
            hasContext = hasContext(method.getParameterTypes());
            isStream = Arrays.asList(in).contains(OutputStream.class);
        }

        @Override
        public byte[] handle(byte[] event, Context context) throws Throwable {
            Object[] arguments = new Object[in.length];
            ByteArrayOutputStream answer = new ByteArrayOutputStream(0);
            for (int i = 0; i < in.length; i++) {
                arguments[i] = hasContext && i == in.length - 1 ? context
                        : in[i] == OutputStream.class ? answer
                        : in[i] == InputStream.class ? new ByteArrayInputStream(event)
                        : pojo.read(event, in[i]);
            }
            Object value;
            try {
                value = method.invoke(on, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
            return isStream ? answer.toByteArray() : pojo.write(value, out);
        }
    }
}
