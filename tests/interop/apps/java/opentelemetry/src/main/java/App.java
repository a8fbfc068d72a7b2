import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

/** A service of the JDK's own server and client. It knows nothing of tracing: the agent that it runs under does. */
public final class App {
  public static void main(String[] arguments) throws Exception {
    var call = HttpRequest.newBuilder(URI.create(System.getenv("CALLEE"))).build();
    // Version 1.1: to plain text the client would otherwise ask for an upgrade to HTTP/2 each time.
    var client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          try (exchange) {
            var answer = client.send(call, BodyHandlers.ofByteArray());
            exchange.sendResponseHeaders(answer.statusCode(), answer.body().length);
            exchange.getResponseBody().write(answer.body());
          } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
          }
        });
    server.start();
    System.out.println(server.getAddress().getPort());
  }
}
