package example;

import com.amazonaws.services.lambda.runtime.Context;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import java.util.Map;

/** A method of each form that AWS documents. */
public class Forms {
    private int calls;

    public String text(String event) {
        return event + "!";
    }

    public int number(int event, Context context) {
        return event + 1;
    }

    public static boolean fixed(boolean event) {
        return !event;
    }

    public List<Integer> list(List<Integer> event) {
        event.add(7);
        return event;
    }

    public Map<String, Long> map(Map<String, Long> event, Context context) {
        event.replaceAll((name, value) -> value + 1);
        return event;
    }

    public Object any(Object event) {
        return event == null ? "none" : event.getClass().getSimpleName();
    }

    public int nothing() {
        return ++calls;
    }

    public String context(Context c) {
        return c.getFunctionName();
    }

    public void gives(String event) {}

    public void stream(InputStream in, OutputStream out, Context context) throws IOException {
        out.write('[');
        in.transferTo(out);
        out.write(']');
    }

    public void plain(InputStream in, OutputStream out) throws IOException {
        in.transferTo(out);
    }

    public String over(String event) {
        return "one";
    }

    public String over(String event, Context context) {
        return "context";
    }

    public String over() {
        return "none";
    }

    public String over(int a, int b, int c) {
        return "no handler";
    }
}
