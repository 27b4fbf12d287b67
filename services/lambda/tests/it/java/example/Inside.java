package example;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.LambdaRuntime;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TimeZone;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/** What a function sees of where it is. */
public class Inside {
    private final AtomicInteger ticks = new AtomicInteger();

    public Map<String, Object> look(Object event, Context c) throws Exception {
        Map<String, Object> seen = new LinkedHashMap<>();
        seen.put("name", c.getFunctionName());
        seen.put("version", c.getFunctionVersion());
        seen.put("memory", c.getMemoryLimitInMB());
        seen.put("arn", c.getInvokedFunctionArn());
        seen.put("group", c.getLogGroupName());
        seen.put("id", c.getAwsRequestId().length());
        seen.put("remaining", c.getRemainingTimeInMillis() > 5000);
        seen.put("word", System.getenv("WORD"));
        seen.put("all", System.getenv().get("WORD"));
        seen.put("child", child());
        seen.put("trace", System.getProperty("com.amazonaws.xray.traceHeader").equals(c.getXrayTraceId()));
        seen.put("zone", TimeZone.getDefault().getID());
        seen.put("charset", java.nio.charset.Charset.defaultCharset().name());
        seen.put("template", Files.readString(Paths.get("/proc/self/cmdline")).contains("--template"));
        seen.put("directory", new File("").getAbsolutePath());
        seen.put("resource", resource());
        seen.put("random", ThreadLocalRandom.current().nextLong());
        seen.put("math", Math.random());
        seen.put("uuid", UUID.randomUUID());
        seen.put("pid", ProcessHandle.current().pid());
        seen.put("same", Files.readSymbolicLink(Paths.get("/proc/self")).toString()
                .equals(String.valueOf(ProcessHandle.current().pid())));
        seen.put("heap", Runtime.getRuntime().maxMemory() >> 20);
        seen.put("java", Runtime.version().feature());
        seen.put("processors", Runtime.getRuntime().availableProcessors() > 0);
        return seen;
    }

    private String child() throws IOException {
        Process process = new ProcessBuilder("/bin/sh", "-c", "echo $WORD").start();
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).trim();
    }

    private String resource() throws IOException {
        try (InputStream in = Thread.currentThread().getContextClassLoader().getResourceAsStream("words.txt")) {
            return in == null ? null : new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    public int threads(int count) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(8);
        Future<?>[] all = new Future<?>[count];
        for (int i = 0; i < count; i++) {
            all[i] = pool.submit(ticks::incrementAndGet);
        }
        for (Future<?> one : all) {
            one.get();
        }
        pool.shutdown();
        return CompletableFuture.supplyAsync(ticks::get).thenApply(sum -> sum * 2).get();
    }

    public String platform() throws IOException {
        return new String(new URL(System.getenv("AWS_ENDPOINT_URL")).openStream().readAllBytes());
    }

    public void logs(Object event, Context c) {
        System.out.println("printed ü");
        System.err.println("warned");
        c.getLogger().log("two\nlines\n");
        LambdaRuntime.getLogger().log("anywhere");
    }

    public void levels(Object event, Context c) {
        c.getLogger().log("below", LogLevel.DEBUG);
        c.getLogger().log("two\nlines", LogLevel.WARN);
        c.getLogger().log("plain");
        c.getLogger().log("as it is".getBytes());
        throw new IllegalStateException("end");
    }

    public Object echo(Object event) {
        return event;
    }
}
