"""A Ruby function as its author ships it: a file and a bundled gem, deployed and called by boto3."""

import json
import shutil

import pytest

from functions import role, zipped
from platform_process import until

pytestmark = pytest.mark.skipif(not shutil.which("ruby"), reason="no Ruby is installed")

APP = '''
require "logger"
require "greeting"

LOG = Logger.new($stdout)

module Shop
  class Orders
    def self.take(event:, context:)
      raise ArgumentError, "nothing is ordered" unless event["lines"]

      LOG.info("an order of #{event["customer"]}")
      count = event["lines"].sum { |line| line["count"] }
      { greeting: Greeting.to(event["customer"]), count: count, set: ENV["SET"], name: context.function_name }
    end
  end
end
'''
SPECIFICATION = '''
Gem::Specification.new do |gem|
  gem.name = "greeting"
  gem.version = "0.1.0"
  gem.summary = gem.author = "x"
  gem.files = ["lib/greeting.rb"]
end
'''
GEM = 'module Greeting\n  def self.to(name) = "Hello #{name}"\nend\n'
BUNDLE = "vendor/bundle/ruby/3.3.0"


def invoke(lambdas, name, event):
    answer = lambdas.invoke(FunctionName=name, Payload=json.dumps(event))
    return answer, json.loads(answer["Payload"].read())


def test_a_ruby_function_answers(client, name):
    lambdas, logs, called = client("lambda"), client("logs"), name("orders")
    package = zipped({
        "app.rb": APP,
        f"{BUNDLE}/specifications/greeting-0.1.0.gemspec": SPECIFICATION,
        f"{BUNDLE}/gems/greeting-0.1.0/lib/greeting.rb": GEM,
    })
    with role(client, name("role")) as arn:
        lambdas.create_function(FunctionName=called, Role=arn, Runtime="ruby3.3", Handler="app.Shop::Orders.take",
                                Code={"ZipFile": package}, MemorySize=256, Timeout=20,
                                Environment={"Variables": {"SET": "yes"}})
        lambdas.get_waiter("function_active_v2").wait(FunctionName=called, WaiterConfig={"Delay": 1})
        order = {"customer": "Zoë", "lines": [{"sku": "a", "count": 2}, {"sku": "b", "count": 3}]}
        expected = {"greeting": "Hello Zoë", "count": 5, "set": "yes", "name": called}
        assert invoke(lambdas, called, order)[1] == expected
        answer, said = invoke(lambdas, called, {"customer": "Zoë"})
        assert answer["FunctionError"] == "Unhandled"
        assert (said["errorType"], said["errorMessage"]) == ("Function<ArgumentError>", "nothing is ordered")
        assert said["stackTrace"][0].startswith("/var/task/app.rb:10:in ")
        group = f"/aws/lambda/{called}"
        until(lambda: logs.filter_log_events(logGroupName=group, filterPattern="Zoë")["events"])
        logs.delete_log_group(logGroupName=group)
        lambdas.delete_function(FunctionName=called)
