package pagoda.runtime;

import com.amazonaws.services.lambda.runtime.LambdaLogger;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A failure of the function, as its caller and its log see it.
 *
 * <p>https://docs.aws.amazon.com/lambda/latest/dg/java-exceptions.html
 */
final class Failure {
    private static final int CAUSES_MAX = 10;
    private static final int FRAMES_MAX = 500;

    private final Throwable error;

    /** Forgets who called the function: that is this client, and of no interest. */
    Failure(Throwable error) {
        this.error = error;
        Throwable one = error;
        for (int i = 0; one != null && i < CAUSES_MAX; i++) {
            StackTraceElement[] frames = one.getStackTrace();
            StackTraceElement[] own = new StackTraceElement[own(frames)];
            System.arraycopy(frames, 0, own, 0, own.length);
            one.setStackTrace(own);
            one = one.getCause();
        }
    }

    String kind() {
        return error.getClass().getName();
    }

    byte[] document() {
        return JsonWriter.write(describe(error, 0));
    }

    /** In a log of text it stands as Java's own traces do. */
    void tell(LambdaLogger log) {
        boolean isJson = "JSON".equals(System.getenv("AWS_LAMBDA_LOG_FORMAT"));
        log.log(text(), isJson ? LogLevel.ERROR : LogLevel.UNDEFINED);
    }

    String text() {
        StringWriter trace = new StringWriter();
        error.printStackTrace(new PrintWriter(trace));
        String message = error.getMessage();
        return (message == null ? "" : message + ": " + kind() + "\n") + trace;
    }

    private static Map<String, Object> describe(Throwable error, int depth) {
        Map<String, Object> document = new LinkedHashMap<>();
        if (error.getMessage() != null) {
            document.put("errorMessage", error.getMessage());
        }
        document.put("errorType", error.getClass().getName());
        List<String> frames = new ArrayList<>();
        for (StackTraceElement frame : error.getStackTrace()) {
            if (frames.size() < FRAMES_MAX) {
                frames.add(frame.toString());
            }
        }
        document.put("stackTrace", frames);
        if (error.getCause() != null && depth < CAUSES_MAX) {
            document.put("cause", describe(error.getCause(), depth + 1));
        }
        return document;
    }

    /** How many frames there are before the last ones, which are the client's and of the reflection that it used. */
    private static int own(StackTraceElement[] frames) {
        int count = frames.length;
        for (int i = 0; i < frames.length; i++) {
            if (frames[i].getClassName().startsWith("pagoda.runtime.")) {
                count = i;
                break;
            }
        }
        while (count > 0 && isReflection(frames[count - 1].getClassName())) {
            count -= 1;
        }
        return count;
    }

    private static boolean isReflection(String name) {
        return name.startsWith("java.lang.reflect.") || name.startsWith("jdk.internal.reflect.")
                || name.startsWith("java.lang.invoke.") || name.startsWith("java.lang.Class");
    }
}
