# Requests: their making, signing and sending. Generated; do not edit.

require "json"
require "net/http"
require "openssl"
require "time"
require "uri"

module {{ service }}Transport
  ATTEMPTS = 3
  BACKOFF_SECONDS = 0.1
  BUSY = [429, 503].freeze
  BROKEN = [500, 502, 504].freeze

  Answer = Struct.new(:status, :headers, :data)

  # An answer with a status of 400 or more.
  class ApiError < StandardError
    attr_reader :answer

    def initialize(answer)
      super("The API answered #{answer.status}: #{answer.data.inspect}")
      @answer = answer
    end
  end

  # RFC 3986: all but the unreserved characters.
  def self.encode(value, greedy: false)
    kept = greedy ? %r{[^A-Za-z0-9\-._~/]} : /[^A-Za-z0-9\-._~]/
    value.to_s.b.gsub(kept) { |byte| format("%%%02X", byte.ord) }
  end

  class Connection
    def initialize(endpoint:, region:, access_key: nil, secret_key: nil, session_token: nil, api_key: nil, ca_file: nil,
                   timeout_seconds: 30)
      @endpoint = URI(endpoint)
      @region = region
      @access_key, @secret_key, @session_token = access_key, secret_key, session_token
      @api_key, @ca_file, @timeout_seconds = api_key, ca_file, timeout_seconds
    end

    # Sends a request, and again, up to three times, where the API was busy.
    def send_request(verb, path, query: [], headers: [], body: nil, signed: false, idempotent: true)
      payload = body.nil? ? "" : JSON.generate(body)
      sent = { "accept" => "application/json" }
      sent["content-type"] = "application/json" unless body.nil?
      headers.each { |name, value| sent[name.downcase] = value.to_s unless value.nil? }
      pairs = query.reject { |_, value| value.nil? }.flat_map do |name, value|
        Array(value).map { |one| [encode(name), encode(one)] }
      end
      path = @endpoint.path.chomp("/") + path
      retrying(idempotent) { attempt(verb, path, pairs, sent.dup, payload, signed) }
    end

    private

    def encode(value)
      {{ service }}Transport.encode(value)
    end

    def retrying(idempotent)
      ATTEMPTS.times do |number|
        is_last = number == ATTEMPTS - 1
        begin
          answer = yield
          return answer if answer.status < 400

          is_worth = BUSY.include?(answer.status) || (idempotent && BROKEN.include?(answer.status))
          raise ApiError, answer if is_last || !is_worth
        rescue SystemCallError, IOError, Timeout::Error, OpenSSL::SSL::SSLError
          raise if is_last || !idempotent
        end
        sleep(BACKOFF_SECONDS * 2**number * (0.5 + rand / 2))
      end
    end

    def attempt(verb, path, pairs, headers, payload, signed)
      headers["x-api-key"] = @api_key if @api_key
      headers.merge!(signature(verb, path, pairs, payload)) if signed && @access_key
      query = pairs.map { |pair| pair.join("=") }.join("&")
      request = Net::HTTPGenericRequest.new(verb, !payload.empty?, verb != "HEAD", query.empty? ? path : "#{path}?#{query}", headers)
      request.body = payload unless payload.empty?
      response = http.start { |connection| connection.request(request) }
      Answer.new(response.code.to_i, response.each_header.to_h, read(response))
    end

    def http
      connection = Net::HTTP.new(@endpoint.host, @endpoint.port)
      connection.use_ssl = @endpoint.scheme == "https"
      connection.ca_file = @ca_file if @ca_file
      connection.open_timeout = connection.read_timeout = @timeout_seconds
      connection.max_retries = 0
      connection
    end

    def read(response)
      body = response.body.to_s
      return body unless response["content-type"].to_s.include?("json")

      JSON.parse(body)
    rescue JSON::ParserError
      body
    end

    def host
      @endpoint.port == @endpoint.default_port ? @endpoint.host : "#{@endpoint.host}:#{@endpoint.port}"
    end

    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    def signature(verb, path, pairs, payload)
      now = Time.now.utc.strftime("%Y%m%dT%H%M%SZ")
      scope = [now[0, 8], @region, "execute-api", "aws4_request"]
      headers = { "host" => host, "x-amz-date" => now }
      headers["x-amz-security-token"] = @session_token if @session_token
      names = headers.keys.sort
      canonical = [
        verb,
        # Each part of the path is encoded once more than it is sent.
        path.split("/", -1).map { |part| encode(part) }.join("/"),
        pairs.sort.map { |pair| pair.join("=") }.join("&"),
        *names.map { |name| "#{name}:#{headers[name]}" },
        "",
        names.join(";"),
        OpenSSL::Digest::SHA256.hexdigest(payload)
      ].join("\n")
      text = ["AWS4-HMAC-SHA256", now, scope.join("/"), OpenSSL::Digest::SHA256.hexdigest(canonical)].join("\n")
      key = scope.reduce("AWS4#{@secret_key}") { |made, part| OpenSSL::HMAC.digest("SHA256", made, part) }
      headers["authorization"] = "AWS4-HMAC-SHA256 Credential=#{[@access_key, *scope].join("/")}, " \
                                 "SignedHeaders=#{names.join(";")}, Signature=#{OpenSSL::HMAC.hexdigest("SHA256", key, text)}"
      headers
    end
  end
end
