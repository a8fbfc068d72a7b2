package throughline;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.web.servlet.context.ServletWebServerInitializedEvent;
import org.springframework.context.annotation.Bean;
import org.springframework.context.event.EventListener;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestClient;
import zipkin2.reporter.urlconnection.URLConnectionSender;

/** A service of Spring Boot that calls another, traced by Brave as Spring Boot sets it up. */
@SpringBootApplication
@RestController
public class App {
  private final RestClient client;
  private final String callee;

  App(RestClient.Builder client, @Value("${CALLEE}") String callee) {
    this.client = client.build();
    this.callee = callee;
  }

  public static void main(String[] arguments) {
    SpringApplication.run(App.class, arguments);
  }

  @GetMapping("/")
  ResponseEntity<byte[]> call() {
    return client.get().uri(callee).retrieve().toEntity(byte[].class);
  }

  @EventListener
  void started(ServletWebServerInitializedEvent event) {
    System.out.println(event.getWebServer().getPort());
  }

  /** Spring Boot's own sender compresses, which what receives the spans here does not take. */
  @Bean
  static URLConnectionSender sender(@Value("${ZIPKIN_ENDPOINT}") String endpoint) {
    return URLConnectionSender.newBuilder().endpoint(endpoint).compressionEnabled(false).build();
  }
}
