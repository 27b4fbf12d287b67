package {{ package }};

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLSocketFactory;

/** Sends requests, and again, up to three times, where the API was busy. */
final class Transport {
    private static final int ATTEMPTS = 3;
    private static final int BACKOFF_MILLIS = 100;
    private final URI endpoint;
    private final String apiKey;
    private final Signer signer;
    private final SSLSocketFactory sockets;
    private final int timeoutMillis;

    Transport(URI endpoint, String apiKey, Signer signer, SSLSocketFactory sockets, int timeoutMillis) {
        this.endpoint = endpoint;
        this.apiKey = apiKey;
        this.signer = signer;
        this.sockets = sockets;
        this.timeoutMillis = timeoutMillis;
    }

    /** A request, without where it goes. */
    static final class Request {
        final String verb;
        final StringBuilder path = new StringBuilder();
        final List<String> query = new ArrayList<>();
        final Map<String, String> headers = new LinkedHashMap<>();
        Object body;
        boolean isSigned;
        boolean isIdempotent;

        Request(String verb) {
            this.verb = verb;
            headers.put("accept", "application/json");
        }

        Request text(String text) {
            path.append(text);
            return this;
        }

        Request variable(String name, Object value, boolean isGreedy) {
            if (value == null) {
                throw new IllegalArgumentException("The parameter " + name + " is required");
            }
            path.append(encode(String.valueOf(value), isGreedy));
            return this;
        }

        Request query(String name, Object value) {
            Iterable<?> values = value instanceof Iterable ? (Iterable<?>) value : Collections.singleton(value);
            for (Object one : values) {
                if (one != null) {
                    query.add(encode(name, false) + "=" + encode(String.valueOf(one), false));
                }
            }
            return this;
        }

        Request header(String name, Object value) {
            if (value != null) {
                headers.put(name.toLowerCase(Locale.ROOT), String.valueOf(value));
            }
            return this;
        }
    }

    /** An answer. */
    static final class Response {
        final int status;
        final Map<String, String> headers;
        final Object data;

        Response(int status, Map<String, String> headers, Object data) {
            this.status = status;
            this.headers = headers;
            this.data = data;
        }
    }

    Response send(Request request) {
        byte[] body = request.body == null ? new byte[0] : Json.write(request.body).getBytes(StandardCharsets.UTF_8);
        for (int left = ATTEMPTS - 1, wait = BACKOFF_MILLIS; ; left--, wait *= 2) {
            try {
                Response response = attempt(request, body);
                if (response.status < 400) {
                    return response;
                }
                if (left == 0 || !isWorthAnother(response.status, request.isIdempotent)) {
                    throw new ApiException(response.status, response.headers, response.data);
                }
            } catch (IOException failure) {
                if (left == 0 || !request.isIdempotent) {
                    throw new UncheckedIOException(failure);
                }
            }
            pause(wait / 2 + ThreadLocalRandom.current().nextInt(wait / 2 + 1));
        }
    }

    private static boolean isWorthAnother(int status, boolean isIdempotent) {
        return status == 429 || status == 503 || (isIdempotent && (status == 500 || status == 502 || status == 504));
    }

    private static void pause(int millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(stop);
        }
    }

    private Response attempt(Request request, byte[] body) throws IOException {
        String base = endpoint.getRawPath() == null ? "" : endpoint.getRawPath();
        String path = (base.endsWith("/") ? base.substring(0, base.length() - 1) : base) + request.path;
        String query = request.query.isEmpty() ? "" : "?" + String.join("&", request.query);
        String address = endpoint.getScheme() + "://" + endpoint.getRawAuthority() + path + query;
        HttpURLConnection connection = (HttpURLConnection) new URL(address).openConnection();
        if (connection instanceof HttpsURLConnection && sockets != null) {
            ((HttpsURLConnection) connection).setSSLSocketFactory(sockets);
        }
        connection.setConnectTimeout(timeoutMillis);
        connection.setReadTimeout(timeoutMillis);
        connection.setInstanceFollowRedirects(false);
        setVerb(connection, request.verb);
        Map<String, String> headers = new LinkedHashMap<>(request.headers);
        if (request.isSigned && signer != null) {
            List<String> sorted = new ArrayList<>(request.query);
            Collections.sort(sorted);
            String host = endpoint.getRawAuthority();
            headers.putAll(signer.headers(request.verb, host, path, String.join("&", sorted), body));
        }
        if (apiKey != null) {
            headers.put("x-api-key", apiKey);
        }
        if (request.body != null) {
            headers.put("content-type", "application/json");
        }
        headers.forEach(connection::setRequestProperty);
        if (request.body != null) {
            connection.setDoOutput(true);
            connection.getOutputStream().write(body);
        }
        return read(connection);
    }

    /** HttpURLConnection of the JDK knows no PATCH; servers that take it also take its name in a header. */
    private static void setVerb(HttpURLConnection connection, String verb) throws IOException {
        if (!verb.equals("PATCH")) {
            connection.setRequestMethod(verb);
            return;
        }
        try {
            connection.setRequestMethod(verb);
        } catch (java.net.ProtocolException unknown) {
            throw new UnsupportedOperationException("PATCH is not supported by this platform", unknown);
        }
    }

    private static Response read(HttpURLConnection connection) throws IOException {
        int status = connection.getResponseCode();
        Map<String, String> headers = new LinkedHashMap<>();
        connection.getHeaderFields().forEach((name, values) -> {
            if (name != null) {
                headers.put(name.toLowerCase(Locale.ROOT), String.join(",", values));
            }
        });
        InputStream stream = status < 400 ? connection.getInputStream() : connection.getErrorStream();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        if (stream != null) {
            byte[] part = new byte[8192];
            for (int read = stream.read(part); read >= 0; read = stream.read(part)) {
                bytes.write(part, 0, read);
            }
            stream.close();
        }
        String text = new String(bytes.toByteArray(), StandardCharsets.UTF_8);
        String type = headers.getOrDefault("content-type", "");
        return new Response(status, headers, type.contains("json") && !text.isEmpty() ? json(text) : text);
    }

    private static Object json(String text) {
        try {
            return Json.read(text);
        } catch (IllegalArgumentException malformed) {
            return text;
        }
    }

    /** RFC 3986: all but the unreserved characters, and slashes where they are to stay. */
    static String encode(String text, boolean keepsSlashes) {
        StringBuilder out = new StringBuilder();
        for (byte one : text.getBytes(StandardCharsets.UTF_8)) {
            char letter = (char) (one & 0xff);
            boolean isPlain = letter < 128 && (Character.isLetterOrDigit(letter) || "-._~".indexOf(letter) >= 0);
            if (isPlain || (keepsSlashes && letter == '/')) {
                out.append(letter);
            } else {
                out.append(String.format("%%%02X", (int) letter));
            }
        }
        return out.toString();
    }
}
