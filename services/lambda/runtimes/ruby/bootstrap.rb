# frozen_string_literal: true

# Runs a Ruby function: Pagoda's client of the Lambda Runtime API.
#
# What is loaded here is paid for by every cold start, and what a gem brings in another version can't be loaded any
# more: so the socket is used directly, and only what AWS's own client loads too is loaded. The answer to one event
# and the wish for the next are sent together.
#
# https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html

require "json"
require "logger"
require "socket.so"
require "stringio"

# The client, in a name space of its own: the function's constants are its own business.
module Pagoda
  ROOT = "/2018-06-01/runtime/"
  FRAMES_MAX = 100

  # Ends the process, after the function's exit handlers.
  def self.leave(code)
    $stdout.flush
    Kernel.exit(code)
  end

  # One connection to the Runtime API.
  class Api
    def initialize(address)
      @host = address
      host, _, port = address.rpartition(":")
      @socket = TCPSocket.new(host, Integer(port))
      @socket.setsockopt(Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1)
      @socket.binmode
    end

    def next
      "GET #{ROOT}invocation/next HTTP/1.1\r\nHost: #{@host}\r\n\r\n"
    end

    def post(path, body, type: "application/json", kind: nil)
      header = kind ? "Lambda-Runtime-Function-Error-Type: #{kind}\r\n" : ""
      head = "POST #{ROOT}#{path} HTTP/1.1\r\nHost: #{@host}\r\nContent-Type: #{type}\r\n#{header}" \
             "Content-Length: #{body.bytesize}\r\n\r\n"
      head.b << body.b
    end

    def write(*parts)
      @socket.write(*parts)
      @socket.flush
    end

    # The next response: status, headers, body.
    def read
      head = @socket.gets("\r\n\r\n") or abort("The Runtime API closed the connection")
      first, *lines = head.split("\r\n")
      headers = lines.to_h { |line| line.split(":", 2).then { |name, value| [name.downcase, value.to_s.strip] } }
      length = headers.fetch("content-length", "0").to_i
      body = length.zero? ? +"" : @socket.read(length)
      abort("The Runtime API closed the connection") if body.nil? || body.bytesize < length
      [first.split[1].to_i, headers, body.force_encoding(Encoding::UTF_8)]
    end
  end

  # The second argument of handlers.
  #
  # https://docs.aws.amazon.com/lambda/latest/dg/ruby-context.html
  class LambdaContext
    attr_reader :aws_request_id, :invoked_function_arn, :log_group_name, :log_stream_name, :function_name,
                :memory_limit_in_mb, :function_version, :identity, :client_context, :deadline_ms

    def initialize(headers)
      @aws_request_id = headers["lambda-runtime-aws-request-id"]
      @invoked_function_arn = headers["lambda-runtime-invoked-function-arn"]
      @deadline_ms = headers["lambda-runtime-deadline-ms"].to_i
      @log_group_name = ENV["AWS_LAMBDA_LOG_GROUP_NAME"]
      @log_stream_name = ENV["AWS_LAMBDA_LOG_STREAM_NAME"]
      @function_name = ENV["AWS_LAMBDA_FUNCTION_NAME"]
      @function_version = ENV["AWS_LAMBDA_FUNCTION_VERSION"]
      @memory_limit_in_mb = ENV["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
      @identity = parsed(headers["lambda-runtime-cognito-identity"])
      @client_context = parsed(headers["lambda-runtime-client-context"])
    end

    def get_remaining_time_in_millis
      [@deadline_ms - Process.clock_gettime(Process::CLOCK_REALTIME, :millisecond), 0].max
    end

    private

    def parsed(text)
      JSON.parse(text) unless text.nil? || text.empty?
    end
  end

  # What goes into the log: a message is one line there, whatever is in it.
  module Log
    class << self
      attr_accessor :request_id

      def json?
        ENV["AWS_LAMBDA_LOG_FORMAT"].to_s.casecmp?("JSON")
      end

      # The least level of the configuration, as Logger counts; nil when there is none.
      def level
        { "TRACE" => 0, "DEBUG" => 0, "INFO" => 1, "WARN" => 2, "ERROR" => 3, "FATAL" => 4 }[ENV["AWS_LAMBDA_LOG_LEVEL"]]
      end

      def record(time, level, members)
        stamp = time.getutc.strftime("%Y-%m-%dT%H:%M:%S.%LZ")
        line = { timestamp: stamp, level: level, **members }
        line[:requestId] = request_id if request_id
        "#{JSON.generate(line)}\n"
      end

      def failed(document, heading)
        $stdout.write(json? ? record(Time.now, "ERROR", document) : plain(document, heading))
      end

      private

      def plain(document, heading)
        "#{heading}\n#{JSON.pretty_generate(document)}".gsub("\n", "\r") << "\n"
      end
    end
    self.request_id = nil
  end

  # Lines of Logger, with the id of the request.
  #
  # https://docs.aws.amazon.com/lambda/latest/dg/ruby-logging.html#ruby-logging-lib
  class Formatter < Logger::Formatter
    def call(severity, time, program, message)
      return Log.record(time, severity, as_json(message)) if Log.json?

      text = msg2str(message).gsub("\n", "\r")
      "#{severity[0]}, [#{format_datetime(time)}##{Process.pid}] #{severity.rjust(5)} #{Log.request_id} -- #{program}: #{text}\n"
    end

    private

    def as_json(message)
      case message
      when Exception then { message: Pagoda.text(message.message), **Pagoda.document(message) }
      when Hash, Array then { message: message }
      else { message: Pagoda.text(msg2str(message)) }
      end
    end
  end

  # Loggers that write to the standard streams write as Lambda's do; those that write to files are let alone.
  module Logging
    def initialize(device, *arguments, formatter: nil, level: nil, **named)
      if device.equal?($stdout) || device.equal?($stderr) || device.nil?
        formatter ||= Formatter.new
        level ||= Log.level
        device ||= $stdout
      end
      named[:level] = level unless level.nil?
      super(device, *arguments, formatter: formatter, **named)
    end
  end

  # The method that `file.method` or `file.Class.method` names.
  class Handler
    def initialize(name)
      file, *path = name.split(".")
      @method = path.pop
      @owner = path.first
      unless @method && path.size < 2
        raise ArgumentError, "Invalid handler #{name}, must be of form FILENAME.METHOD or FILENAME.CLASS.METHOD where " \
                             "FILENAME corresponds with an existing Ruby source file FILENAME.rb, CLASS is an " \
                             "optional module/class namespace and METHOD is a callable method. If using CLASS, " \
                             "METHOD must be a class-level method."
      end
      # By its place, so that no library of the same name stands before it.
      place = File.expand_path("#{file}.rb", "/var/task")
      require(File.file?(place) ? place : file)
    end

    # What the answer is made of: content and type.
    def call(event, context)
      receiver = @owner ? Object.const_get(@owner) : TOPLEVEL_BINDING.receiver
      answer = receiver.__send__(@method, event: event, context: context)
      return [answer.read.to_s, "application/unknown"] if answer.respond_to?(:read) && !answer.is_a?(Hash)

      [JSON.generate(answer), "application/json"]
    end
  end

  module_function

  # Text that JSON can hold.
  def text(value)
    text = value.to_s
    return text.scrub if text.encoding == Encoding::UTF_8

    text.encode(Encoding::UTF_8, invalid: :replace, undef: :replace)
  end

  # What an exception was, without the frames of this client.
  def document(error, of: nil)
    frames = error.backtrace.to_a.reject { |frame| frame.start_with?(__FILE__) || frame.start_with?("<internal:") }
    kind = of ? "#{of}<#{error.class}>" : error.class.to_s
    { errorMessage: text(error.message), errorType: kind, stackTrace: frames.first(FRAMES_MAX).map { |frame| text(frame) } }
  end

  # Handles one event; the request that answers it, and whether the process is fit to go on.
  def answer(api, handler, headers, body)
    id = Log.request_id = headers["lambda-runtime-aws-request-id"]
    ENV["_X_AMZN_TRACE_ID"] = headers["lambda-runtime-trace-id"]
    content, type = handler.call(JSON.parse(body), LambdaContext.new(headers))
    [api.post("invocation/#{id}/response", content, type: type), true]
  rescue Exception => error # Of every kind: the caller waits for an answer.
    document = document(error, of: "Function")
    goes_on = error.is_a?(StandardError)
    Log.failed(document, goes_on ? "Error raised from handler method" : "Critical exception from handler")
    [api.post("invocation/#{id}/error", JSON.generate(document), kind: document[:errorType]), goes_on]
  end

  def load_handler
    Handler.new(ENV.fetch("_HANDLER"))
  rescue Exception => error # Scripts that end themselves, or do not even parse.
    document = document(error, of: "Init")
    Log.failed(document, "Init error when loading handler #{ENV['_HANDLER']}")
    api = Api.new(ENV.fetch("AWS_LAMBDA_RUNTIME_API"))
    api.write(api.post("init/error", JSON.generate(document), kind: document[:errorType]))
    api.read
    leave(1)
  end

  def main
    $stdout.sync = $stderr.sync = true
    Logger.prepend(Logging)
    handler = load_handler
    api = Api.new(ENV.fetch("AWS_LAMBDA_RUNTIME_API"))
    api.write(api.next)
    loop do
      status, headers, body = api.read
      abort("The Runtime API answered #{status}") if status != 200
      answer, goes_on = answer(api, handler, headers, body)
      api.write(answer, *(api.next if goes_on))
      api.read
      leave(1) unless goes_on
    end
  end
end

Pagoda.main
