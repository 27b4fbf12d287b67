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
            return streaming((RequestStreamHandler) made(of));
        }
        if (isInterfaces && RequestHandler.class.isAssignableFrom(of)) {
            return requesting((RequestHandler<?, ?>) made(of), pojo);
        }
        if (colons < 0) {
            throw new Exception("Class " + className + " does not implement an appropriate handler interface");
        }
        Method chosen = choose(of, method);
        return calling(Modifier.isStatic(chosen.getModifiers()) ? null : made(of), Property.open(chosen), of, pojo);
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

    private static Handler streaming(RequestStreamHandler handler) {
        return (event, context) -> {
            ByteArrayOutputStream answer = new ByteArrayOutputStream();
            handler.handleRequest(new ByteArrayInputStream(event), answer, context);
            return answer.toByteArray();
        };
    }

    @SuppressWarnings("unchecked")
    private static Handler requesting(RequestHandler<?, ?> handler, Pojo pojo) {
        Type in = Types.argument(handler.getClass(), RequestHandler.class, 0);
        Type out = Types.argument(handler.getClass(), RequestHandler.class, 1);
        RequestHandler<Object, Object> any = (RequestHandler<Object, Object>) handler;
        return (event, context) -> pojo.write(any.handleRequest(pojo.read(event, in), context), out);
    }

    private static Handler calling(Object on, Method method, Class<?> of, Pojo pojo) {
        Type[] types = method.getGenericParameterTypes();
        for (int i = 0; i < types.length; i++) {
            types[i] = Types.resolve(types[i], of);
        }
        Type out = Types.resolve(method.getGenericReturnType(), of);
        boolean hasContext = hasContext(method.getParameterTypes());
        boolean isStream = Arrays.asList(types).contains(OutputStream.class);
        return (event, context) -> {
            Object[] arguments = new Object[types.length];
            ByteArrayOutputStream answer = new ByteArrayOutputStream(0);
            for (int i = 0; i < types.length; i++) {
                arguments[i] = hasContext && i == types.length - 1 ? context
                        : types[i] == OutputStream.class ? answer
                        : types[i] == InputStream.class ? new ByteArrayInputStream(event)
                        : pojo.read(event, types[i]);
            }
            Object value;
            try {
                value = method.invoke(on, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
            return isStream ? answer.toByteArray() : pojo.write(value, out);
        };
    }
}
