package pacer.workflows.stack;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import pacer.trainer.CacheFolder;

/**
 * Where the local stack keeps its things: {@code stack.json}, what each server stores, {@code logs/}, and {@code tools/}, the servers themselves.
 * Only its owner can look into it, as it holds the S3 server's password.
 */
record StackFolder(Path path, Path tools) {

    /**
     * {@code PACER_STACK}, else {@code $XDG_DATA_HOME/pacer/stack}, else {@code ~/.local/share/pacer/stack}; the tools in {@code PACER_STACK_TOOLS}, else
     * in {@code tools} of that.
     */
    static StackFolder of(Map<String, String> environment) {
        String own = environment.getOrDefault("PACER_STACK", "");
        String data = environment.getOrDefault("XDG_DATA_HOME", "");
        Path path = !own.isBlank()
                ? Path.of(own)
                : (data.isBlank() ? Path.of(CacheFolder.home(environment), ".local", "share") : Path.of(data))
                        .resolve("pacer")
                        .resolve("stack");
        String tools = environment.getOrDefault("PACER_STACK_TOOLS", "");
        Path absolute = path.toAbsolutePath().normalize();
        return new StackFolder(
                absolute,
                tools.isBlank()
                        ? absolute.resolve("tools")
                        : Path.of(tools).toAbsolutePath().normalize());
    }

    /** Makes it, for its owner alone. */
    void create() throws IOException {
        try {
            Files.createDirectories(path);
        } catch (FileAlreadyExistsException e) {
            throw new IOException(path + ": is not a folder; name another with PACER_STACK", e);
        }
        if (Files.getFileStore(path).supportsFileAttributeView("posix")) {
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwx------"));
        }
    }

    Path log(Server server) {
        return path.resolve("logs").resolve(server.label() + ".log");
    }

    /** What {@code server} stores. */
    Path store(Server server) throws IOException {
        return Files.createDirectories(path.resolve(server.label()));
    }

    Path tool(Server server) {
        return tools.resolve(server.program());
    }
}
