package {{ package }};

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.text.SimpleDateFormat;
import java.util.Date;
import java.util.Locale;
import java.util.Map;
import java.util.TimeZone;
import java.util.TreeMap;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Signatures of version 4.
 *
 * @see "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html"
 */
final class Signer {
    private final String region;
    private final String accessKey;
    private final String secretKey;
    private final String sessionToken;

    Signer(String region, String accessKey, String secretKey, String sessionToken) {
        this.region = region;
        this.accessKey = accessKey;
        this.secretKey = secretKey;
        this.sessionToken = sessionToken;
    }

    /** The headers that sign a request. */
    Map<String, String> headers(String verb, String host, String path, String sortedQuery, byte[] body) {
        SimpleDateFormat format = new SimpleDateFormat("yyyyMMdd'T'HHmmss'Z'", Locale.ROOT);
        format.setTimeZone(TimeZone.getTimeZone("UTC"));
        String time = format.format(new Date());
        String[] scope = {time.substring(0, 8), region, "execute-api", "aws4_request"};
        TreeMap<String, String> headers = new TreeMap<>();
        headers.put("host", host);
        headers.put("x-amz-date", time);
        if (sessionToken != null) {
            headers.put("x-amz-security-token", sessionToken);
        }
        StringBuilder canonical = new StringBuilder(verb).append('\n');
        // Each part of the path is encoded once more than it is sent.
        canonical.append(Transport.encode(path, true)).append('\n').append(sortedQuery).append('\n');
        for (Map.Entry<String, String> header : headers.entrySet()) {
            canonical.append(header.getKey()).append(':').append(header.getValue().trim()).append('\n');
        }
        String names = String.join(";", headers.keySet());
        canonical.append('\n').append(names).append('\n').append(hex(digest(body)));
        String text = "AWS4-HMAC-SHA256\n" + time + "\n" + String.join("/", scope) + "\n"
            + hex(digest(canonical.toString().getBytes(StandardCharsets.UTF_8)));
        byte[] key = ("AWS4" + secretKey).getBytes(StandardCharsets.UTF_8);
        for (String part : scope) {
            key = hmac(key, part);
        }
        headers.put("authorization", "AWS4-HMAC-SHA256 Credential=" + accessKey + "/" + String.join("/", scope)
            + ", SignedHeaders=" + names + ", Signature=" + hex(hmac(key, text)));
        headers.remove("host");
        return headers;
    }

    private static byte[] digest(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static byte[] hmac(byte[] key, String text) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static String hex(byte[] bytes) {
        StringBuilder out = new StringBuilder();
        for (byte one : bytes) {
            out.append(String.format("%02x", one));
        }
        return out.toString();
    }
}
