package pacer.activities.dataset;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import pacer.activities.run.BadInputException;
import pacer.activities.store.S3Address;

/** Where a raw file comes from: {@code dataset.url}, taken apart and checked. */
sealed interface Source {

    /** {@code https://host/path}. */
    record Https(URI uri) implements Source {}

    /** {@code file:PATH}, relative to the worker's working folder unless absolute. */
    record LocalFile(Path path) implements Source {}

    /** {@code maven:GROUP:ARTIFACT:VERSION!/ENTRY}: a file inside a jar. */
    record MavenEntry(String group, String artifact, String version, String entry) implements Source {
        String jarName() {
            return artifact + "-" + version + ".jar";
        }

        /** Place of the jar in a Maven repository. */
        Path inRepository() {
            return Path.of("", group.split("\\."))
                    .resolve(artifact)
                    .resolve(version)
                    .resolve(jarName());
        }
    }

    /** {@code s3://bucket/key}. */
    record S3(S3Address address) implements Source {}

    /** {@code catalogue:NAME}: shards that are ready. */
    record Ready(String catalogue) implements Source {}

    Pattern MAVEN = Pattern.compile("maven:([\\w.-]+):([\\w.-]+):([\\w.-]+)!/(.+)");

    String FORMS = "https://…, s3://BUCKET/KEY, file:PATH, maven:GROUP:ARTIFACT:VERSION!/ENTRY, or catalogue:NAME";

    /**
     * Takes {@code url} apart.
     *
     * @throws BadInputException when it is none of the forms, naming the value and the rule
     */
    static Source parse(String url) {
        if (url.startsWith("https:")) {
            return new Https(uri(url));
        }
        if (url.startsWith("file:")) {
            String path = url.startsWith("file://") ? uri(url).getPath() : url.substring("file:".length());
            if (path == null || path.isBlank()) {
                throw bad(url, "names no file");
            }
            try {
                return new LocalFile(Path.of(path));
            } catch (InvalidPathException e) {
                throw bad(url, e.getReason());
            }
        }
        if (url.startsWith("s3:")) {
            S3Address address = S3Address.parse("dataset.url", url);
            if (address.key().isEmpty()) {
                throw bad(url, "names no object; write s3://BUCKET/KEY");
            }
            return new S3(address);
        }
        if (url.startsWith("maven:")) {
            Matcher parts = MAVEN.matcher(url);
            if (!parts.matches() || url.contains("..")) {
                throw bad(url, "is not of the form maven:GROUP:ARTIFACT:VERSION!/ENTRY");
            }
            return new MavenEntry(parts.group(1), parts.group(2), parts.group(3), parts.group(4));
        }
        if (url.startsWith("catalogue:")) {
            return new Ready(url.substring("catalogue:".length()));
        }
        throw bad(url, "is none of " + FORMS);
    }

    private static URI uri(String url) {
        try {
            return new URI(url);
        } catch (URISyntaxException e) {
            throw bad(url, "is no URL: " + e.getReason() + " at character " + (e.getIndex() + 1));
        }
    }

    private static BadInputException bad(String url, String rule) {
        return new BadInputException("dataset.url: '" + url + "' " + rule);
    }
}
