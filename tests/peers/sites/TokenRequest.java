// Java's own HttpClient as it comes: over http it offers h2c with its first request. Prints status and body of a token request.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Base64;

public class TokenRequest {
    public static void main(String[] given) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        String proof = Base64.getEncoder().encodeToString((given[1] + ":" + given[2]).getBytes("UTF-8"));
        for (int number = 0; number < 2; number++) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(given[0] + "/token"))
                .header("Content-Type", "application/x-www-form-urlencoded")
                .header("Authorization", "Basic " + proof)
                .POST(HttpRequest.BodyPublishers.ofString("grant_type=client_credentials&scope=orders%3Aread"))
                .build();
            HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
            System.out.println(answer.statusCode() + " " + answer.body());
        }
    }
}
