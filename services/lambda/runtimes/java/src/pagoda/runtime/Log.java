package pagoda.runtime;

import com.amazonaws.services.lambda.runtime.LambdaLogger;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The function's log. An event is a line here, so that line ends in it become carriage returns. Where the log is
 * to be JSON, text becomes an object; bytes are what the function has put into a form itself, and stay so.
 *
 * <p>https://docs.aws.amazon.com/lambda/latest/dg/java-logging.html#java-logging-advanced
 */
public final class Log implements LambdaLogger {
    private static final FileOutputStream OUT = new FileOutputStream(FileDescriptor.out);
    private static volatile String requestId;

    /** Whose lines those that follow are. */
    static void begin(String request) {
        requestId = request;
    }

    @Override
    public void log(String message) {
        log(message, LogLevel.UNDEFINED);
    }

    @Override
    public void log(byte[] message) {
        write(message);
    }

    @Override
    public void log(String message, LogLevel level) {
        String text = String.valueOf(message);
        if (!isJson()) {
            String mark = level == LogLevel.UNDEFINED ? "" : "[" + level.name() + "] ";
            write((mark + text).getBytes(StandardCharsets.UTF_8));
        } else if (matters(level)) {
            write(object(text, level));
        }
    }

    @Override
    public void log(byte[] message, LogLevel level) {
        if (!isJson() || matters(level)) {
            write(message);
        }
    }

    /** Asked each time: a process that was a template has another environment than it had. */
    private static boolean isJson() {
        return "JSON".equals(System.getenv("AWS_LAMBDA_LOG_FORMAT"));
    }

    /** A line that names no level counts as one of level INFO. */
    private static LogLevel known(LogLevel level) {
        return level == LogLevel.UNDEFINED ? LogLevel.INFO : level;
    }

    private static boolean matters(LogLevel level) {
        String least = System.getenv("AWS_LAMBDA_LOG_LEVEL");
        return least == null || known(level).compareTo(LogLevel.fromString(least)) >= 0;
    }

    private static byte[] object(String message, LogLevel level) {
        Map<String, Object> line = new LinkedHashMap<>();
        DateTimeFormatter form = DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);
        line.put("timestamp", form.format(Instant.now()));
        line.put("level", known(level));
        line.put("message", message);
        if (requestId != null) {
            line.put("AWSRequestId", requestId);
        }
        return JsonWriter.write(line);
    }

    private static void write(byte[] message) {
        int length = message.length;
        while (length > 0 && message[length - 1] == '\n') {
            length -= 1;
        }
        byte[] line = Arrays.copyOf(message, length + 1);
        for (int i = 0; i < length; i++) {
            line[i] = line[i] == '\n' ? (byte) '\r' : line[i];
        }
        line[length] = '\n';
        try {
            OUT.write(line);
        } catch (IOException e) {
            // Nobody reads any more.
        }
    }
}
