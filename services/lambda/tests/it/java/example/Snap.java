package example;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.crac.Core;
import org.crac.Resource;

/** Init code with threads, sockets that were used, and hooks. */
public class Snap implements RequestHandler<Object, Map<String, Object>> {
    private static final long TOKEN = System.nanoTime();
    private static final List<String> ORDER = new ArrayList<>();
    private static final Resource[] HOOKS = {hook("1"), hook("2")};

    private final AtomicInteger ticks = new AtomicInteger();
    private final String stream = System.getenv("AWS_LAMBDA_LOG_STREAM_NAME");

    public Snap() throws Exception {
        for (Resource hook : HOOKS) {
            Core.getGlobalContext().register(hook);
        }
        ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor(work -> {
            Thread thread = new Thread(work);
            thread.setDaemon(true);
            return thread;
        });
        executor.scheduleAtFixedRate(ticks::incrementAndGet, 1, 1, TimeUnit.MILLISECONDS);
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Socket socket = new Socket(server.getInetAddress(), server.getLocalPort())) {
            socket.getOutputStream().write(1);
            try (Socket other = server.accept()) {
                other.getInputStream().read();
            }
        }
    }

    private static Resource hook(String name) {
        return new Resource() {
            @Override
            public void beforeCheckpoint(org.crac.Context<? extends Resource> context) {
                ORDER.add("before " + name);
            }

            @Override
            public void afterRestore(org.crac.Context<? extends Resource> context) {
                ORDER.add("after " + name);
            }
        };
    }

    @Override
    public Map<String, Object> handleRequest(Object event, Context context) {
        int had = ticks.get();
        try {
            Thread.sleep(50);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return Map.of("token", TOKEN, "order", ORDER, "goes", ticks.get() > had, "drawn",
                ThreadLocalRandom.current().nextLong(), "own", !stream.equals(context.getLogStreamName()),
                "kind", System.getenv("AWS_LAMBDA_INITIALIZATION_TYPE"));
    }
}
