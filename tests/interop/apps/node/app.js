// A service of Node.js that calls another. It knows nothing of tracing: what is required before it brings that.
"use strict";

const http = require("node:http");

const server = http.createServer((request, response) => {
  http
    .get(process.env.CALLEE, (answer) => {
      response.writeHead(answer.statusCode);
      answer.pipe(response);
    })
    .on("error", (error) => {
      response.writeHead(502);
      response.end(String(error));
    });
});

server.listen(0, "127.0.0.1", () => console.log(server.address().port));
