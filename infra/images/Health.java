import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;

/** Exit code 0 when the worker of this container answers: an image without a shell has no other program that could ask. */
final class Health {
    private static final int PATIENCE_MILLIS = 3_000;

    private Health() {}

    public static void main(String[] arguments) {
        String address = System.getenv().getOrDefault("PACER_METRICS", "9464");
        String port = address.substring(address.lastIndexOf(':') + 1);
        try {
            HttpURLConnection asked = (HttpURLConnection)
                    URI.create("http://127.0.0.1:" + port + "/health").toURL().openConnection();
            asked.setConnectTimeout(PATIENCE_MILLIS);
            asked.setReadTimeout(PATIENCE_MILLIS);
            System.exit(asked.getResponseCode() == HttpURLConnection.HTTP_OK ? 0 : 1);
        } catch (IOException e) {
            System.err.println(e);
            System.exit(1);
        }
    }
}
