package pacer.activities.dataset;

import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import pacer.activities.run.BadInputException;

/** Finds files inside the jars of Maven artifacts: on the class path, else in the local Maven repository. */
record MavenJars(List<Path> repositories) {

    /** The local repository in its usual place. */
    static MavenJars standard() {
        return new MavenJars(List.of(Path.of(System.getProperty("user.home"), ".m2", "repository")));
    }

    /** Hears about the entry's content while the jar is open. */
    @FunctionalInterface
    interface Reader {
        void read(InputStream content, long size) throws IOException;
    }

    /**
     * Opens the entry for {@code reader}.
     *
     * @throws BadInputException when there is no such jar or no such entry in it, saying where was looked and how to get it
     */
    void read(Source.MavenEntry source, Reader reader) throws IOException {
        Path jar = find(source);
        try (ZipFile zip = new ZipFile(jar.toFile())) {
            ZipEntry entry = zip.getEntry(source.entry());
            if (entry == null || entry.isDirectory()) {
                throw new BadInputException("dataset.url: " + jar + " holds no file '" + source.entry() + "'");
            }
            try (InputStream content = zip.getInputStream(entry)) {
                reader.read(content, entry.getSize());
            }
        }
    }

    private Path find(Source.MavenEntry source) throws IOException {
        Optional<Path> onClassPath = onClassPath(source);
        if (onClassPath.isPresent()) {
            return onClassPath.get();
        }
        for (Path repository : repositories) {
            Path jar = repository.resolve(source.inRepository());
            if (Files.isRegularFile(jar)) {
                return jar;
            }
        }
        String artifact = source.group() + ":" + source.artifact() + ":" + source.version();
        throw new BadInputException("dataset.url: " + source.jarName() + " is neither on the class path nor in "
                + repositories + "; fetch it with: mvn dependency:get -Dtransitive=false -Dartifact=" + artifact);
    }

    private static Optional<Path> onClassPath(Source.MavenEntry source) throws IOException {
        for (URL url :
                MavenJars.class.getClassLoader().resources(source.entry()).toList()) {
            if (url.openConnection() instanceof JarURLConnection inJar) {
                Path jar = path(inJar.getJarFileURL());
                if (jar.endsWith(source.jarName())) {
                    return Optional.of(jar);
                }
            }
        }
        return Optional.empty();
    }

    private static Path path(URL file) {
        try {
            return Path.of(new URI(file.getProtocol(), file.getPath(), null));
        } catch (URISyntaxException e) {
            throw new IllegalStateException("a URL of the class path is no URI: " + file, e);
        }
    }
}
