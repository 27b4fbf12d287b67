package pagoda.runtime;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import org.crac.Core;

/**
 * Runs a Java function: Pagoda's client of the Lambda Runtime API.
 *
 * <p>Small on purpose, and without the JDK's own clients, parsers and lambdas where they would be paid for by a
 * cold start. The answer to one event and the wish for the next are sent together.
 */
public final class Main {
    private static final Log LOG = new Log();

    private Main() {}

    public static void main(String[] arguments) throws Exception {
        Resume resume = null;
        if (arguments.length > 0 && arguments[0].equals("--template")) {
            Warm.up();
            resume = new Resume();
            resume.await();
            if (System.getenv("_PAGODA_REHEARSAL") != null) {
                Warm.rehearse();
                resume.await();
            }
        }
        boolean isSnapshot = System.getenv("_PAGODA_SNAPSHOT") != null;
        if (resume != null && !isSnapshot) {
            resume.close();
        }
        System.setOut(new PrintStream(new FileOutputStream(FileDescriptor.out), true, "UTF-8"));
        System.setErr(new PrintStream(new FileOutputStream(FileDescriptor.err), true, "UTF-8"));
        String stage = "init";
        Handler handler = null;
        try {
            ClassLoader loader = Task.loader("/var/task", "/opt/java");
            Thread.currentThread().setContextClassLoader(loader);
            handler = Handler.load(String.valueOf(System.getenv("_HANDLER")), loader);
            if (isSnapshot) {
                Core.getGlobalContext().beforeCheckpoint(null);
                sleep(resume);
                stage = "restore";
                Core.getGlobalContext().afterRestore(null);
            }
        } catch (Throwable error) {
            Failure failure = failed(error);
            connect().report(stage, failure);
            System.exit(1);
        }
        serve(handler, connect());
    }

    private static Api connect() throws IOException {
        return new Api(System.getenv("AWS_LAMBDA_RUNTIME_API"));
    }

    /** Waits, after the init code, to become one instance of many: SnapStart. */
    private static void sleep(Resume given) throws Exception {
        Resume resume = given != null ? given : new Resume();
        System.gc();
        Resume.replaceMarkers();
        resume.await();
        resume.close();
    }

    private static void serve(Handler handler, Api api) throws IOException {
        Api.Response event = api.next();
        while (event.status == 200) {
            InvocationContext context = new InvocationContext(event.headers);
            String trace = context.getXrayTraceId();
            if (trace != null) {
                System.setProperty("com.amazonaws.xray.traceHeader", trace);
            }
            Log.begin(context.getAwsRequestId());
            byte[] answer = null;
            Failure failure = null;
            try {
                answer = handler.handle(event.body, context);
            } catch (Throwable error) {
                failure = failed(error);
            }
            event = null;
            // What the function left behind would end the connection.
            Thread.interrupted();
            event = failure == null ? api.answer(context.getAwsRequestId(), answer)
                    : api.fail(context.getAwsRequestId(), failure);
        }
        System.exit(1);
    }

    private static Failure failed(Throwable error) {
        Failure failure = new Failure(error);
        failure.tell(LOG);
        return failure;
    }
}
