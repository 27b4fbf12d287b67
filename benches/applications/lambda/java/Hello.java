import java.util.Map;

/** The function, and with {@code main} the hello that it is measured against. */
public class Hello {
    public Map<String, Object> handle(Map<String, Object> event) {
        return Map.of(
                "statusCode", 200,
                "headers", Map.of("Content-Type", "application/json"),
                "body", "{\"hello\": \"world\"}");
    }

    public static void main(String[] arguments) {
        System.out.println("{\"hello\": \"world\"}");
    }
}
