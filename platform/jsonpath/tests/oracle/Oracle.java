import com.jayway.jsonpath.*;
import java.io.*;
import java.util.*;

/**
 * Writes what Jayway's JsonPath 2.0 (Debian's libjsonpath-java) finds at the paths of paths.txt in
 * document.json, as ../jayway-2.0.jsonl has it:
 *
 * java -cp json-path.jar:json-smart.jar:slf4j-api.jar:. Oracle document.json < paths.txt
 */
public class Oracle {
    public static void main(String[] arguments) throws Exception {
        String document = new String(new FileInputStream(arguments[0]).readAllBytes(), "UTF-8");
        String paths = new String(System.in.readAllBytes(), "UTF-8");
        for (String path : paths.split("\n")) {
            String answer;
            try {
                Object found = JsonPath.read(document, path);
                answer = "\"found\": " + Configuration.defaultConfiguration().jsonProvider()
                    .toJson(Arrays.asList(found));
            } catch (PathNotFoundException none) {
                answer = "\"found\": []";
            } catch (Exception failure) {
                answer = "\"fails\": true";
            }
            String quoted = path.replace("\\", "\\\\").replace("\"", "\\\"");
            System.out.println("{\"path\": \"" + quoted + "\", " + answer + "}");
        }
    }
}
