// Requests: their making, signing and sending. Generated; do not edit.

import CryptoKit
import Foundation
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

private let attempts = 3
private let backoffSeconds = 0.1

/// What a client is made with.
public struct {{ prefix }}Configuration {
    public var endpoint: String
    public var region: String
    public var accessKey: String?
    public var secretKey: String?
    public var sessionToken: String?
    public var apiKey: String?
    public var session: URLSession

    public init(
        endpoint: String = {{ api.endpoint | quoted }}, region: String = {{ api.region | quoted }},
        accessKey: String? = nil, secretKey: String? = nil, sessionToken: String? = nil, apiKey: String? = nil,
        session: URLSession = .shared
    ) {
        self.endpoint = endpoint
        self.region = region
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.sessionToken = sessionToken
        self.apiKey = apiKey
        self.session = session
    }
}

/// What the API answered.
public struct {{ prefix }}Answer<T> {
    public let status: Int
    public let headers: [String: String]
    public let data: T
}

/// An answer with a status of 400 or more.
public struct {{ prefix }}ApiError: Error {
    public let status: Int
    public let headers: [String: String]
    public let data: Data
}

struct {{ prefix }}Request {
    let verb: String
    let isSigned: Bool
    let isIdempotent: Bool
    var path = ""
    var query: [(String, String)] = []
    var headers = ["accept": "application/json"]
    var body: Data?

    init(verb: String, isSigned: Bool, isIdempotent: Bool) {
        self.verb = verb
        self.isSigned = isSigned
        self.isIdempotent = isIdempotent
    }

    mutating func query(_ name: String, _ value: String?) {
        if let value = value { query.append((encode(name), encode(value))) }
    }

    mutating func header(_ name: String, _ value: String?) {
        if let value = value { headers[name.lowercased()] = value }
    }
}

struct {{ prefix }}Transport {
    let configuration: {{ prefix }}Configuration

    /// Sends a request, and again, up to three times, where the API was busy.
    func send(_ request: {{ prefix }}Request) async throws -> {{ prefix }}Answer<Data> {
        var wait = backoffSeconds
        for left in stride(from: attempts - 1, through: 0, by: -1) {
            do {
                let answer = try await attempt(request)
                if answer.status < 400 { return answer }
                if left == 0 || !isWorthAnother(answer.status, request.isIdempotent) {
                    throw {{ prefix }}ApiError(status: answer.status, headers: answer.headers, data: answer.data)
                }
            } catch let failure as URLError {
                if left == 0 || !request.isIdempotent { throw failure }
            }
            try await Task.sleep(nanoseconds: UInt64(wait * Double.random(in: 0.5...1) * 1_000_000_000))
            wait *= 2
        }
        throw URLError(.unknown)
    }

    private func isWorthAnother(_ status: Int, _ isIdempotent: Bool) -> Bool {
        return status == 429 || status == 503 || (isIdempotent && [500, 502, 504].contains(status))
    }

    private func attempt(_ request: {{ prefix }}Request) async throws -> {{ prefix }}Answer<Data> {
        guard let endpoint = URLComponents(string: configuration.endpoint), let host = endpoint.host else {
            throw URLError(.badURL)
        }
        let authority = endpoint.port.map { host + ":" + String($0) } ?? host
        let base = endpoint.percentEncodedPath
        let path = (base.hasSuffix("/") ? String(base.dropLast()) : base) + request.path
        let query = request.query.map { $0.0 + "=" + $0.1 }.joined(separator: "&")
        let address = (endpoint.scheme ?? "https") + "://" + authority + path + (query.isEmpty ? "" : "?" + query)
        guard let url = URL(string: address) else { throw URLError(.badURL) }
        var sent = URLRequest(url: url)
        sent.httpMethod = request.verb
        sent.httpBody = request.body
        var headers = request.headers
        if request.isSigned {
            headers.merge(sign(request, authority, path)) { _, new in new }
        }
        if let key = configuration.apiKey { headers["x-api-key"] = key }
        if request.body != nil { headers["content-type"] = "application/json" }
        for (name, value) in headers { sent.setValue(value, forHTTPHeaderField: name) }
        let (data, response) = try await configuration.session.data(for: sent)
        guard let http = response as? HTTPURLResponse else { throw URLError(.badServerResponse) }
        var received: [String: String] = [:]
        for (name, value) in http.allHeaderFields {
            received[String(describing: name).lowercased()] = String(describing: value)
        }
        return {{ prefix }}Answer(status: http.statusCode, headers: received, data: data)
    }

    /// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    private func sign(_ request: {{ prefix }}Request, _ host: String, _ path: String) -> [String: String] {
        guard let accessKey = configuration.accessKey, let secretKey = configuration.secretKey else { return [:] }
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(identifier: "UTC")
        format.dateFormat = "yyyyMMdd'T'HHmmss'Z'"
        let time = format.string(from: Date())
        let scope = [String(time.prefix(8)), configuration.region, "execute-api", "aws4_request"]
        var headers = ["host": host, "x-amz-date": time]
        if let token = configuration.sessionToken { headers["x-amz-security-token"] = token }
        let names = headers.keys.sorted()
        let query = request.query.sorted { $0.0 == $1.0 ? $0.1 < $1.1 : $0.0 < $1.0 }
        let lines = [
            request.verb,
            // Each part of the path is encoded once more than it is sent.
            encode(path, keepsSlashes: true),
            query.map { $0.0 + "=" + $0.1 }.joined(separator: "&"),
            names.map { $0 + ":" + (headers[$0] ?? "") + "\n" }.joined(),
            names.joined(separator: ";"),
            hex(SHA256.hash(data: request.body ?? Data())),
        ]
        let canonical = hex(SHA256.hash(data: Data(lines.joined(separator: "\n").utf8)))
        let text = ["AWS4-HMAC-SHA256", time, scope.joined(separator: "/"), canonical].joined(separator: "\n")
        var key = Data(("AWS4" + secretKey).utf8)
        for part in scope { key = hmac(key, part) }
        headers["host"] = nil
        let credential = ([accessKey] + scope).joined(separator: "/")
        headers["authorization"] = "AWS4-HMAC-SHA256 Credential=" + credential + ", SignedHeaders="
            + names.joined(separator: ";") + ", Signature=" + hex(hmac(key, text))
        return headers
    }
}

private func hmac(_ key: Data, _ text: String) -> Data {
    return Data(HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: SymmetricKey(data: key)))
}

private func hex<Bytes: Sequence>(_ bytes: Bytes) -> String where Bytes.Element == UInt8 {
    return bytes.map { String(format: "%02x", $0) }.joined()
}

/// RFC 3986: all but the unreserved characters, and slashes where they are to stay.
func encode(_ text: String, keepsSlashes: Bool = false) -> String {
    let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~".utf8)
    var out = ""
    for byte in text.utf8 {
        if plain.contains(byte) || (keepsSlashes && byte == 47) {
            out.append(Character(UnicodeScalar(byte)))
        } else {
            out.append(String(format: "%%%02X", byte))
        }
    }
    return out
}
