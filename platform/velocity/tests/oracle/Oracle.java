import java.io.*;
import java.util.*;
import org.apache.velocity.*;
import org.apache.velocity.app.*;

/**
 * Writes what Velocity 1.7 (Debian's libvelocity) makes of the templates in templates.txt, as
 * ../velocity-1.7.jsonl has it:
 *
 * java -cp velocity.jar:commons-collections3.jar:commons-lang.jar:. Oracle < templates.txt
 */
public class Oracle {
    public static void main(String[] arguments) throws Exception {
        String text = new String(System.in.readAllBytes(), "UTF-8");
        for (String template : text.split("\n----\n")) {
            template = template.replace("~N", "\n");
            VelocityEngine engine = new VelocityEngine();
            engine.setProperty("runtime.log.logsystem.class", "org.apache.velocity.runtime.log.NullLogChute");
            engine.init();
            String answer;
            try {
                StringWriter out = new StringWriter();
                engine.evaluate(context(), out, "t", template);
                answer = "\"output\": " + quoted(out.toString());
            } catch (Exception failure) {
                answer = "\"fails\": true";
            }
            System.out.println("{\"template\": " + quoted(template) + ", " + answer + "}");
        }
    }

    static VelocityContext context() {
        VelocityContext context = new VelocityContext();
        context.put("s", "str");
        context.put("n", 7);
        context.put("d", 1.5);
        context.put("b", true);
        context.put("f", false);
        context.put("l", new ArrayList<Object>(Arrays.asList("a", "b", 3)));
        Map<String, Object> inner = new LinkedHashMap<>(Map.of("y", "z"));
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("k", "v");
        map.put("x", 1);
        map.put("in", inner);
        context.put("m", map);
        return context;
    }

    static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
    }
}
