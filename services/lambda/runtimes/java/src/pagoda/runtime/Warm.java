package pagoda.runtime;

import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
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
        public Event handle(Event event, com.amazonaws.services.lambda.runtime.Context context) {
            if (context.getRemainingTimeInMillis() < 0) {
                throw new IllegalStateException();
            }
            return event;
        }
    }

    static void up() throws Exception {
        if (!NativeEnvironment.isReachable()) {
            throw new IllegalStateException("No templates of this version of Java");
        }
        try (URLClassLoader loader = Task.loader("/var/runtime", "/opt/java")) {
            loader.getResource("nothing");
            Handler handler = Handler.load(Echo.class.getName() + "::handle", loader);
            converse(handler);
        } catch (Throwable error) {
            throw new IllegalStateException("The template does not work", error);
        }
        new Failure(new Exception("none", new Exception("cause"))).text();
        new Failure(new Exception("none")).document();
        Surroundings.replace(System.getenv());
        System.gc();
        Resume.replaceMarkers();
    }

    /** With a platform of its own, on this side of the sandbox. */
    private static void converse(Handler handler) throws Throwable {
        byte[] body = EVENT.getBytes(StandardCharsets.UTF_8);
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            Thread platform = new Thread(() -> answer(server, body));
            platform.setDaemon(true);
            platform.start();
            Api api = new Api("127.0.0.1:" + server.getLocalPort());
            Api.Response event = api.next();
            for (int i = 0; i < ROUNDS; i++) {
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
        } catch (java.io.IOException e) {
            // The client sees it too.
        }
    }
}
