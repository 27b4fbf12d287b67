package pagoda.runtime;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/**
 * One connection to the Runtime API.
 *
 * <p>https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
final class Api {
    private static final String ROOT = "/2018-06-01/runtime/";
    private static final int CHUNK = 64 * 1024;

    private final String address;
    private final Socket socket;
    private final InputStream in;
    private final OutputStream out;
    private final byte[] next;
    private byte[] buffer = new byte[CHUNK];
    private int start;
    private int end;

    Api(String address) throws IOException {
        this.address = address;
        int colon = address.indexOf(':');
        socket = new Socket(address.substring(0, colon), Integer.parseInt(address.substring(colon + 1)));
        socket.setTcpNoDelay(true);
        in = socket.getInputStream();
        out = socket.getOutputStream();
        next = ascii("GET " + ROOT + "invocation/next HTTP/1.1\r\nHost: " + address + "\r\n\r\n");
    }

    void close() throws IOException {
        socket.close();
    }

    /** An event, or the response to a request. */
    static final class Response {
        final int status;
        final Map<String, String> headers = new HashMap<>();
        byte[] body;

        Response(int status) {
            this.status = status;
        }
    }

    /** The first event. */
    Response next() throws IOException {
        out.write(next);
        return read();
    }

    /** Answers one event and asks for the next, both together. */
    Response answer(String requestId, byte[] body) throws IOException {
        send(post("invocation/" + requestId + "/response", body.length, null), body, next);
        read();
        return read();
    }

    /** As {@link #answer}, for an event that failed. */
    Response fail(String requestId, Failure failure) throws IOException {
        byte[] document = failure.document();
        send(post("invocation/" + requestId + "/error", document.length, failure.kind()), document, next);
        read();
        return read();
    }

    /** Tells of a failure of {@code init} or {@code restore}, after which this process ends. */
    void report(String what, Failure failure) throws IOException {
        byte[] document = failure.document();
        send(post(what + "/error", document.length, failure.kind()), document, new byte[0]);
        read();
    }

    private byte[] post(String path, int length, String kind) {
        String error = kind == null ? "" : "Lambda-Runtime-Function-Error-Type: " + kind + "\r\n";
        return ascii("POST " + ROOT + path + " HTTP/1.1\r\nHost: " + address
                + "\r\nContent-Type: application/json\r\n" + error + "Content-Length: " + length + "\r\n\r\n");
    }

    private void send(byte[] head, byte[] body, byte[] tail) throws IOException {
        if (body.length > CHUNK) {
            out.write(head);
            out.write(body);
            out.write(tail);
            return;
        }
        ByteArrayOutputStream whole = new ByteArrayOutputStream(head.length + body.length + tail.length);
        whole.write(head, 0, head.length);
        whole.write(body, 0, body.length);
        whole.write(tail, 0, tail.length);
        out.write(whole.toByteArray());
    }

    private Response read() throws IOException {
        Response response = new Response(Integer.parseInt(line().split(" ")[1]));
        for (String line = line(); !line.isEmpty(); line = line()) {
            int colon = line.indexOf(':');
            response.headers.put(line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).trim());
        }
        String length = response.headers.get("content-length");
        response.body = new byte[length == null ? 0 : Integer.parseInt(length)];
        int have = Math.min(end - start, response.body.length);
        System.arraycopy(buffer, start, response.body, 0, have);
        start += have;
        if (in.readNBytes(response.body, have, response.body.length - have) < response.body.length - have) {
            throw new EOFException("The Runtime API closed the connection");
        }
        return response;
    }

    private String line() throws IOException {
        int from = start;
        while (true) {
            for (; from < end; from++) {
                if (buffer[from] == '\n') {
                    String line = new String(buffer, start, from - 1 - start, StandardCharsets.ISO_8859_1);
                    start = from + 1;
                    return line;
                }
            }
            from -= start;
            more();
        }
    }

    /** Reads on, behind what is still wanted, which moves to the front. */
    private void more() throws IOException {
        byte[] target = end - start > CHUNK / 2 ? new byte[buffer.length * 2] : buffer;
        System.arraycopy(buffer, start, target, 0, end - start);
        buffer = target;
        end -= start;
        start = 0;
        int length = in.read(buffer, end, buffer.length - end);
        if (length < 0) {
            throw new EOFException("The Runtime API closed the connection");
        }
        end += length;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }
}
