package {{ package }};

import java.util.Map;

/** An answer with a status of 400 or more. */
public final class ApiException extends RuntimeException {
    private static final long serialVersionUID = 1;
    private final int status;
    private final transient Map<String, String> headers;
    private final transient Object data;

    ApiException(int status, Map<String, String> headers, Object data) {
        super("The API answered " + status + ": " + data);
        this.status = status;
        this.headers = headers;
        this.data = data;
    }

    public int getStatus() {
        return status;
    }

    /** By names in lower case. */
    public Map<String, String> getHeaders() {
        return headers;
    }

    /** The body: what JSON says, or a text. */
    public Object getData() {
        return data;
    }
}
