// Requests: their making, signing and sending. Generated; do not edit.

package {{ package }}

import java.io.IOException
import java.net.HttpURLConnection
import java.net.URI
import java.net.URL
import java.security.MessageDigest
import java.text.SimpleDateFormat
import java.util.Date
import java.util.Locale
import java.util.TimeZone
import javax.crypto.Mac
import javax.crypto.spec.SecretKeySpec
import javax.net.ssl.HttpsURLConnection
import javax.net.ssl.SSLSocketFactory
import kotlin.random.Random
import org.json.JSONArray
import org.json.JSONException
import org.json.JSONObject
import org.json.JSONTokener

private const val ATTEMPTS = 3
private const val BACKOFF_MILLIS = 100L

/** An answer with a status of 400 or more. */
class ApiException(val status: Int, val headers: Map<String, String>, val data: Any?) :
    RuntimeException("The API answered " + status + ": " + data)

/** What the API answered. */
class Answer<T>(val status: Int, val headers: Map<String, String>, val data: T)

/** What a client is made with. */
data class Configuration(
    val endpoint: String = {{ api.endpoint | quoted }},
    val region: String = {{ api.region | quoted }},
    val accessKey: String? = null,
    val secretKey: String? = null,
    val sessionToken: String? = null,
    val apiKey: String? = null,
    val sockets: SSLSocketFactory? = null,
    val timeoutMillis: Int = 30_000,
) {
    override fun toString() = "Configuration(" + endpoint + ")"
}

/** What can be said in JSON. */
interface Model {
    fun toJson(): JSONObject
}

internal class Request(val verb: String, val isSigned: Boolean, val isIdempotent: Boolean) {
    var path = ""
    val query = mutableListOf<Pair<String, String>>()
    val headers = mutableMapOf("accept" to "application/json")
    var body: Any? = null

    fun query(name: String, value: Any?) {
        val values = if (value is Iterable<*>) value else listOf(value)
        values.filterNotNull().forEach { query.add(Pair(encode(name), encode(it.toString()))) }
    }

    fun header(name: String, value: Any?) {
        if (value != null) headers[name.lowercase(Locale.ROOT)] = value.toString()
    }
}

internal class Transport(private val configuration: Configuration) {
    private val endpoint = URI(configuration.endpoint)

    /** Sends a request, and again, up to three times, where the API was busy. */
    fun send(request: Request): Answer<Any?> {
        var wait = BACKOFF_MILLIS
        for (left in ATTEMPTS - 1 downTo 0) {
            try {
                val answer = attempt(request)
                if (answer.status < 400) return answer
                if (left == 0 || !isWorthAnother(answer.status, request.isIdempotent)) {
                    throw ApiException(answer.status, answer.headers, answer.data)
                }
            } catch (failure: IOException) {
                if (left == 0 || !request.isIdempotent) throw failure
            }
            Thread.sleep(wait / 2 + Random.nextLong(wait / 2 + 1))
            wait *= 2
        }
        throw IllegalStateException("the last attempt returns or throws")
    }

    private fun isWorthAnother(status: Int, isIdempotent: Boolean) =
        status == 429 || status == 503 || (isIdempotent && (status == 500 || status == 502 || status == 504))

    private fun attempt(request: Request): Answer<Any?> {
        val path = (endpoint.rawPath ?: "").removeSuffix("/") + request.path
        val query = request.query.joinToString("&") { it.first + "=" + it.second }
        val address = endpoint.scheme + "://" + endpoint.rawAuthority + path + (if (query == "") "" else "?" + query)
        val connection = URL(address).openConnection() as HttpURLConnection
        if (connection is HttpsURLConnection && configuration.sockets != null) {
            connection.sslSocketFactory = configuration.sockets
        }
        connection.connectTimeout = configuration.timeoutMillis
        connection.readTimeout = configuration.timeoutMillis
        connection.instanceFollowRedirects = false
        connection.requestMethod = request.verb
        val body = request.body?.let { text(it).toByteArray() }
        val headers = request.headers.toMutableMap()
        if (request.isSigned && configuration.accessKey != null) {
            headers.putAll(sign(request, path, body ?: ByteArray(0)))
        }
        configuration.apiKey?.let { headers["x-api-key"] = it }
        if (body != null) headers["content-type"] = "application/json"
        headers.forEach { (name, value) -> connection.setRequestProperty(name, value) }
        if (body != null) {
            connection.doOutput = true
            connection.outputStream.use { it.write(body) }
        }
        return read(connection)
    }

    private fun read(connection: HttpURLConnection): Answer<Any?> {
        val status = connection.responseCode
        val headers = mutableMapOf<String, String>()
        connection.headerFields.forEach { (name, values) ->
            if (name != null) headers[name.lowercase(Locale.ROOT)] = values.joinToString(",")
        }
        val stream = if (status < 400) connection.inputStream else connection.errorStream
        val text = stream?.use { it.readBytes().toString(Charsets.UTF_8) } ?: ""
        val isJson = (headers["content-type"] ?: "").contains("json") && text != ""
        return Answer(status, headers, if (isJson) json(text) else text)
    }

    private fun json(text: String): Any? = try {
        JSONTokener(text).nextValue().let { if (it == JSONObject.NULL) null else it }
    } catch (_: JSONException) {
        text
    }

    /** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
    private fun sign(request: Request, path: String, body: ByteArray): Map<String, String> {
        val format = SimpleDateFormat("yyyyMMdd'T'HHmmss'Z'", Locale.ROOT)
        format.timeZone = TimeZone.getTimeZone("UTC")
        val time = format.format(Date())
        val scope = listOf(time.substring(0, 8), configuration.region, "execute-api", "aws4_request")
        val headers = sortedMapOf("host" to endpoint.rawAuthority, "x-amz-date" to time)
        configuration.sessionToken?.let { headers["x-amz-security-token"] = it }
        val names = headers.keys.joinToString(";")
        val query = request.query.sortedWith(compareBy({ it.first }, { it.second }))
        val canonical = listOf(
            request.verb,
            // Each part of the path is encoded once more than it is sent.
            encode(path, true),
            query.joinToString("&") { it.first + "=" + it.second },
            headers.map { (name, value) -> name + ":" + value.trim() + "\n" }.joinToString(""),
            names,
            hex(digest(body)),
        ).joinToString("\n")
        val text = listOf("AWS4-HMAC-SHA256", time, scope.joinToString("/"), hex(digest(canonical.toByteArray())))
        val key = scope.fold(("AWS4" + configuration.secretKey).toByteArray()) { key, part -> hmac(key, part) }
        headers.remove("host")
        headers["authorization"] = "AWS4-HMAC-SHA256 Credential=" + configuration.accessKey + "/" +
            scope.joinToString("/") + ", SignedHeaders=" + names + ", Signature=" + hex(hmac(key, text.joinToString("\n")))
        return headers
    }
}

private fun digest(bytes: ByteArray): ByteArray = MessageDigest.getInstance("SHA-256").digest(bytes)

private fun hmac(key: ByteArray, text: String): ByteArray {
    val mac = Mac.getInstance("HmacSHA256")
    mac.init(SecretKeySpec(key, "HmacSHA256"))
    return mac.doFinal(text.toByteArray())
}

private fun hex(bytes: ByteArray) = bytes.joinToString("") { "%02x".format(it) }

/** RFC 3986: all but the unreserved characters, and slashes where they are to stay. */
internal fun encode(text: String, keepsSlashes: Boolean = false): String {
    val out = StringBuilder()
    for (byte in text.toByteArray()) {
        val letter = (byte.toInt() and 0xff).toChar()
        val isPlain = letter in 'a'..'z' || letter in 'A'..'Z' || letter in '0'..'9' || letter in "-._~"
        if (isPlain || (keepsSlashes && letter == '/')) out.append(letter) else out.append("%%%02X".format(byte))
    }
    return out.toString()
}

internal fun text(value: Any): String = wrap(value).let { if (it is String) JSONObject.quote(it) else it.toString() }

internal fun wrap(value: Any?): Any = when (value) {
    null -> JSONObject.NULL
    is Model -> value.toJson()
    is Iterable<*> -> JSONArray().also { list -> value.forEach { list.put(wrap(it)) } }
    is Map<*, *> -> JSONObject().also { map -> value.forEach { (key, one) -> map.put(key.toString(), wrap(one)) } }
    else -> value
}

internal fun <T> list(value: Any?, of: (Any?) -> T): List<T>? =
    (value as? JSONArray)?.let { list -> (0 until list.length()).map { of(list.opt(it)) } }
