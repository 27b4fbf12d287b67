package pagoda.runtime;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URLClassLoader;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.List;
import java.util.Map;

/** Has a template do all that instances will do, so that the classes are loaded and the code is compiled. */
final class Warm {
    /** So often that the compiler takes notice. */
    private static final int ROUNDS = 300;
    private static final String EVENT = "{\"name\":\"\\u00e9a\",\"count\":1,\"ratio\":2.5,\"tags\":[\"a\",null,true],"
            + "\"more\":{\"a\":{\"b\":[]}}}";

    private Warm() {}

    /** A bean of the usual kinds. */
    public static final class Event {
        public String name;
        public List<Object> tags;
        public Map<String, Object> more;
        private int count;
        private double ratio;

        public int getCount() {
            return count;
        }

        public void setCount(int count) {
            this.count = count;
        }

        public double getRatio() {
            return ratio;
        }

        public void setRatio(double ratio) {
            this.ratio = ratio;
        }
    }

    /** A handler of the usual kind. */
    public static final class Echo {
        public Event handle(Event event, Context context) {
            if (context.getRemainingTimeInMillis() < 0) {
                throw new IllegalStateException();
            }
            return event;
        }
    }

    /** A handler of the more usual kind. */
    public static final class Request implements RequestHandler<Map<String, Object>, Object> {
        @Override
        public Object handleRequest(Map<String, Object> event, Context context) {
            return event;
        }
    }

    /** A handler of the third kind. */
    public static final class Stream implements RequestStreamHandler {
        @Override
        public void handleRequest(InputStream in, OutputStream out, Context context) throws IOException {
            in.transferTo(out);
        }
    }

    static void up() throws Exception {
        if (!NativeEnvironment.isReachable()) {
            throw new IllegalStateException("No templates of this version of Java");
        }
        try (URLClassLoader loader = Task.loader("/var/runtime", "/opt/java")) {
            converse(Handler.load(Echo.class.getName() + "::handle", loader), ROUNDS);
            converse(Handler.load(Request.class.getName(), loader), ROUNDS);
            converse(Handler.load(Stream.class.getName(), loader), ROUNDS);
            load();
        } catch (Throwable error) {
            throw new IllegalStateException("The template does not work", error);
        }
        new Failure(new Exception("none", new Exception("cause"))).text();
        new Failure(new Exception("none")).document();
        Surroundings.replace(System.getenv());
        System.gc();
        Resume.replaceMarkers();
    }

    /** What an instance does, once: the first clone shows with it which memory an instance needs. */
    static void rehearse() throws Exception {
        try (URLClassLoader loader = Task.loader("/var/runtime", "/opt/java")) {
            converse(Handler.load(Request.class.getName(), loader), 1);
            load();
        } catch (Throwable error) {
            throw new IllegalStateException("The rehearsal does not work", error);
        }
    }

    /** Classes from a directory and from a jar, as a function has them: copies, by a loader that shares nothing. */
    private static void load() throws Exception {
        Path root = Files.createTempDirectory(Paths.get("/tmp"), "warm");
        String file = Event.class.getName().replace('.', '/') + ".class";
        Path copy = root.resolve(file);
        Files.createDirectories(copy.getParent());
        try (InputStream in = Warm.class.getClassLoader().getResourceAsStream(file)) {
            Files.copy(in, copy);
        }
        URL[] urls = {root.toUri().toURL(), Warm.class.getProtectionDomain().getCodeSource().getLocation()};
        try (URLClassLoader loader = new URLClassLoader(urls, ClassLoader.getPlatformClassLoader())) {
            for (Class<?> one : new Class<?>[] {Event.class, Request.class, Echo.class}) {
                Object made = Class.forName(one.getName(), true, loader).getDeclaredConstructor().newInstance();
                JsonWriter.write(made);
            }
        }
        for (Path at = copy; at.startsWith(root); at = at.getParent()) {
            Files.delete(at);
        }
    }

    /** With a platform of its own, on this side of the sandbox. */
    private static void converse(Handler handler, int rounds) throws Throwable {
        byte[] body = EVENT.getBytes(StandardCharsets.UTF_8);
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            Thread platform = new Thread() {
                @Override
                public void run() {
                    answer(server, body);
                }
            };
            platform.setDaemon(true);
            platform.start();
            Api api = new Api("127.0.0.1:" + server.getLocalPort());
            Api.Response event = api.next();
            for (int i = 0; i < rounds; i++) {
                InvocationContext context = new InvocationContext(event.headers);
                event = api.answer(context.getAwsRequestId(), handler.handle(event.body, context));
            }
            api.close();
            platform.join();
        }
    }

    private static void answer(ServerSocket server, byte[] body) {
        String head = "HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: 0\r\nlambda-runtime-deadline-ms: "
                + Long.MAX_VALUE / 2 + "\r\ncontent-length: " + body.length + "\r\n\r\n";
        String first = head + new String(body, StandardCharsets.UTF_8);
        byte[] event = first.getBytes(StandardCharsets.UTF_8);
        byte[] more = ("HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n" + first).getBytes(StandardCharsets.UTF_8);
        byte[] request = new byte[4096];
        try (Socket socket = server.accept()) {
            InputStream in = socket.getInputStream();
            OutputStream out = socket.getOutputStream();
            in.read(request);
            out.write(event);
            while (in.read(request) > 0) {
                out.write(more);
            }
        } catch (IOException e) {
            // The client sees it too.
        }
    }
}
