package pacer.trainer.spec;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Optional;
import java.util.regex.Pattern;

/** The rules for where a text may come from. */
final class DatasetUrl {

    private static final String FORMS =
            "https://HOST/PATH, s3://BUCKET/KEY, file:PATH, maven:GROUP:ARTIFACT:VERSION!/ENTRY or catalogue:NAME";
    private static final Pattern MAVEN =
            Pattern.compile("maven:[A-Za-z0-9_.-]+:[A-Za-z0-9_.-]+:[A-Za-z0-9_.-]+!/(?<entry>.+)");

    private DatasetUrl() {}

    /** What is wrong with {@code url}, as {@code rule; what to do}; empty when nothing is. */
    static Optional<String> fault(String url) {
        if (url.isBlank()) {
            return Optional.of("must say where the text is; write " + FORMS);
        }
        if (url.chars().anyMatch(c -> c < ' ')) {
            return Optional.of("must be on one line; delete the line break or tab");
        }
        int colon = url.indexOf(':');
        return switch (colon < 0 ? "" : url.substring(0, colon)) {
            case "https" -> https(url);
            case "http" -> Optional.of("plain http can be read and changed on the way; use https");
            case "s3" ->
                url.matches("s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^/].*")
                        ? Optional.empty()
                        : Optional.of("must name an object in a bucket; write s3://BUCKET/KEY");
            case "file" -> file(url.substring("file:".length()));
            case "maven" -> maven(url);
            case "catalogue" -> catalogue(url.substring("catalogue:".length()));
            case "" -> Optional.of("must begin with a scheme; for a file write file:" + Fault.shown(url));
            default -> Optional.of("no such scheme; write " + FORMS);
        };
    }

    /** What is wrong with the folder {@code home} of ready shards, as {@link #fault} says it. */
    static Optional<String> homeFault(String home) {
        return home.startsWith("https:") || home.startsWith("file:")
                ? fault(home)
                : Optional.of("must be folders, divided by spaces; write https://HOST/FOLDER/ or file:FOLDER");
    }

    /** What is wrong with {@code home}, another one of an https file. */
    static Optional<String> mirrorFault(String home) {
        return home.startsWith("https:")
                ? fault(home)
                : Optional.of(
                        "must be https addresses, divided by spaces; write https://HOST/PATH or https://HOST/FOLDER/");
    }

    private static Optional<String> catalogue(String name) {
        if (Catalogues.NAMES.contains(name)) {
            return Optional.empty();
        }
        String known = "catalogues are " + String.join(", ", Catalogues.NAMES);
        return Optional.of("no such catalogue; "
                + Nearest.among(name, Catalogues.NAMES)
                        .map(near -> near.question() + " " + known)
                        .orElse(known));
    }

    private static Optional<String> https(String url) {
        try {
            URI uri = new URI(url);
            if (uri.getHost() == null) {
                return Optional.of("must name a host; write https://HOST/PATH");
            } else if (uri.getUserInfo() != null) {
                return Optional.of("must not carry a user or password, settings are written into reports; delete it");
            }
            return Optional.empty();
        } catch (URISyntaxException e) {
            String reason = Fault.shown(String.valueOf(e.getReason()));
            return Optional.of("is no URL, %s at character %d; percent-encode it".formatted(reason, e.getIndex() + 1));
        }
    }

    private static Optional<String> file(String path) {
        if (path.startsWith("//") && !path.startsWith("///")) {
            return Optional.of("must not name a host; write file:PATH or file:///PATH");
        }
        return path.isBlank() ? Optional.of("must name a file; write file:PATH") : Optional.empty();
    }

    private static Optional<String> maven(String url) {
        var matcher = MAVEN.matcher(url);
        if (!matcher.matches()) {
            return Optional.of("must name one file of one version; write maven:GROUP:ARTIFACT:VERSION!/ENTRY");
        }
        String entry = matcher.group("entry");
        boolean escapes =
                entry.startsWith("/") || entry.contains("\\") || Pattern.matches("(.*/)?\\.\\.?(/.*)?", entry);
        return escapes
                ? Optional.of("must name an entry inside the archive; write it without .., . or a leading slash")
                : Optional.empty();
    }
}
