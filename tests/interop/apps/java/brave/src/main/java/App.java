import brave.Span;
import brave.Tracing;
import brave.http.HttpTracing;
import brave.httpclient5.HttpClient5Tracing;
import brave.jakarta.servlet.TracingFilter;
import brave.propagation.B3Propagation;
import brave.propagation.Propagation;
import brave.propagation.tracecontext.TraceContextPropagation;
import io.micrometer.tracing.brave.bridge.W3CPropagation;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.EnumSet;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.eclipse.jetty.ee10.servlet.FilterHolder;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import zipkin2.reporter.brave.AsyncZipkinSpanHandler;
import zipkin2.reporter.urlconnection.URLConnectionSender;

/**
 * A service that calls another, traced by Brave. BRAVE_PROPAGATION and BRAVE_SUPPORTS_JOIN are what its code would say.
 */
public final class App {
  public static void main(String[] arguments) throws Exception {
    var sender =
        URLConnectionSender.newBuilder()
            .endpoint(System.getenv("ZIPKIN_ENDPOINT"))
            .compressionEnabled(false)
            .build();
    var tracing =
        Tracing.newBuilder()
            .localServiceName(System.getenv("SERVICE_NAME"))
            .propagationFactory(propagation(System.getenv("BRAVE_PROPAGATION")))
            .supportsJoin(Boolean.parseBoolean(System.getenv("BRAVE_SUPPORTS_JOIN")))
            .addSpanHandler(AsyncZipkinSpanHandler.create(sender))
            .build();
    var http = HttpTracing.create(tracing);

    var context = new ServletContextHandler();
    var filter = new FilterHolder(TracingFilter.create(http));
    context.addFilter(filter, "/*", EnumSet.of(DispatcherType.REQUEST));
    var client = HttpClient5Tracing.newBuilder(http).build(HttpClients.custom());
    context.addServlet(new ServletHolder(new Caller(client)), "/");

    var server = new Server(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    server.setHandler(context);
    server.start();
    System.out.println(((ServerConnector) server.getConnectors()[0]).getLocalPort());
  }

  private static Propagation.Factory propagation(String name) {
    return switch (name) {
      case "b3" -> b3(B3Propagation.Format.SINGLE);
      case "b3multi" -> b3(B3Propagation.Format.MULTI);
      case "micrometer-w3c" -> new W3CPropagation();
      case "brave-w3c" -> TraceContextPropagation.newFactoryBuilder().build();
      default -> throw new IllegalArgumentException("BRAVE_PROPAGATION=" + name);
    };
  }

  private static Propagation.Factory b3(B3Propagation.Format format) {
    return B3Propagation.newFactoryBuilder().injectFormat(Span.Kind.CLIENT, format).build();
  }

  private static final class Caller extends HttpServlet {
    private final CloseableHttpClient client;

    Caller(CloseableHttpClient client) {
      this.client = client;
    }

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      client.execute(
          new HttpGet(System.getenv("CALLEE")),
          answer -> {
            response.setStatus(answer.getCode());
            response.getOutputStream().write(EntityUtils.toByteArray(answer.getEntity()));
            return null;
          });
    }
  }
}
