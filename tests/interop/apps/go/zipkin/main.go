// A service that calls another, traced by Zipkin's client for Go. ZIPKIN_SHARED_SPANS is what its code would say.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/openzipkin/zipkin-go"
	zipkinhttp "github.com/openzipkin/zipkin-go/middleware/http"
	"github.com/openzipkin/zipkin-go/reporter"
	reporterhttp "github.com/openzipkin/zipkin-go/reporter/http"
)

func main() {
	spans := reporterhttp.NewReporter(os.Getenv("ZIPKIN_ENDPOINT"), reporterhttp.BatchInterval(100*time.Millisecond))
	tracer := must(newTracer(spans))
	client := http.Client{Transport: must(zipkinhttp.NewTransport(tracer))}

	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(http.Serve(listener, zipkinhttp.NewServerMiddleware(tracer)(caller{client})))
}

func newTracer(spans reporter.Reporter) (*zipkin.Tracer, error) {
	endpoint, err := zipkin.NewEndpoint(os.Getenv("SERVICE_NAME"), "")
	if err != nil {
		return nil, err
	}
	shared, err := strconv.ParseBool(os.Getenv("ZIPKIN_SHARED_SPANS"))
	if err != nil {
		return nil, err
	}
	return zipkin.NewTracer(spans, zipkin.WithLocalEndpoint(endpoint), zipkin.WithSharedSpans(shared))
}

type caller struct {
	client http.Client
}

func (c caller) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	outgoing, err := http.NewRequestWithContext(request.Context(), http.MethodGet, os.Getenv("CALLEE"), nil)
	if err != nil {
		http.Error(response, err.Error(), http.StatusInternalServerError)
		return
	}
	answer, err := c.client.Do(outgoing)
	if err != nil {
		http.Error(response, err.Error(), http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	response.WriteHeader(answer.StatusCode)
	io.Copy(response, answer.Body)
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
