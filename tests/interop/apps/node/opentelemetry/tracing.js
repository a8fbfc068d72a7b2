// OpenTelemetry's SDK for Node.js, configured by the environment alone.
"use strict";

const { NodeSDK } = require("@opentelemetry/sdk-node");
const { HttpInstrumentation } = require("@opentelemetry/instrumentation-http");

new NodeSDK({ instrumentations: [new HttpInstrumentation()] }).start();
