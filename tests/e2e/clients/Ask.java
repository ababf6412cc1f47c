import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;

/** Java's own client as it is made by default, which offers to go on in HTTP/2. */
public class Ask {
    public static void main(String[] args) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        HttpRequest request = HttpRequest.newBuilder(URI.create(args[0]))
                .header("content-type", "application/json")
                .timeout(Duration.ofMillis((long) (Double.parseDouble(args[2]) * 1000)))
                .POST(HttpRequest.BodyPublishers.ofFile(Path.of(args[1])))
                .build();
        for (int i = 0; i < Integer.parseInt(args[3]); i++) {
            try {
                System.out.println(client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode());
            } catch (Exception error) {
                System.out.println(error);
            }
        }
        System.exit(0);
    }
}
