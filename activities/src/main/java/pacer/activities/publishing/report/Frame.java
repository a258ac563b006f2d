package pacer.activities.publishing.report;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import pacer.trainer.durable.Sha256;

/** What all pages have around their own: they load nothing and run nothing but their own script, and their content security policy says so. */
record Frame(String style, String script) {

    /** That of reports. */
    static Frame ofReports() throws IOException {
        return new Frame(resource("report.css"), resource("report.js"));
    }

    private static String resource(String name) throws IOException {
        try (InputStream in = Frame.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** The page; {@code title} is plain text, {@code body} HTML. */
    String html(String title, String body) {
        return """
                <!doctype html>
                <html lang="en">
                <head>
                <meta charset="utf-8">
                <meta name="viewport" content="width=device-width, initial-scale=1">
                <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-%s'">
                <title>%s · pacer</title>
                <style>
                %s</style>
                </head>
                <body>
                <main>
                %s</main>
                <script>%s</script>
                </body>
                </html>
                """.formatted(digest(script), Html.escape(title), style, body, script);
    }

    private static String digest(String script) {
        byte[] hash = Sha256.begin().digest(script.getBytes(StandardCharsets.UTF_8));
        return Base64.getEncoder().encodeToString(hash);
    }
}
