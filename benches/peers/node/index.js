const functions = require("@google-cloud/functions-framework");

functions.http("handler", (request, response) => {
  response.type("application/json").send('{"hello": "world"}');
});
