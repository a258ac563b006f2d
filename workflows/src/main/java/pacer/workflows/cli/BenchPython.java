package pacer.workflows.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import pacer.trainer.bench.BenchCase;
import pacer.trainer.durable.FileGuard;
import pacer.trainer.durable.Sha256;

/**
 * A Python with PyTorch and numpy in it.
 *
 * @param python the interpreter
 * @param torch its PyTorch's version
 */
record BenchPython(Path python, String torch) {
    private static final String INSTEAD = "; or give a Python that has PyTorch and numpy: --python PATH";

    /** The interpreter at {@code python}, once it is seen to have what is needed. */
    static BenchPython at(Path python, BenchFolder folder) throws IOException, InterruptedException {
        if (!Files.isExecutable(python)) {
            throw new Mistake("--python " + python + ": no such program");
        }
        BenchChild check = ask(python, folder);
        if (check.code() != 0 || check.lines().size() != 1) {
            throw new Mistake("--python " + python + ": " + reason(check) + "; install torch and numpy in it, or leave "
                    + "--python out to have an environment made");
        }
        return new BenchPython(python, check.lines().getFirst());
    }

    /**
     * The throwaway environment in the cache, made by venv and pip where it is not there yet.
     *
     * @param python3 what to make it with, {@code python3}
     * @param say hears what takes long
     */
    static BenchPython own(String python3, Path cache, BenchFolder folder, Consumer<String> say)
            throws IOException, InterruptedException {
        byte[] requirements = resource("requirements.txt");
        Path bench = Files.createDirectories(cache.resolve("bench"));
        Path home = bench.resolve("python-"
                + Sha256.ofParts(new String(requirements, StandardCharsets.UTF_8))
                        .substring(0, 12));
        Path ready = home.resolve("ready");
        try (FileGuard _ = FileGuard.take(bench.resolve("lock"), () -> {})) {
            if (!Files.exists(ready)) {
                BenchFolder.delete(home); // begun by a process that did not finish
                String pins =
                        new String(requirements, StandardCharsets.UTF_8).lines().collect(Collectors.joining(", "));
                say.accept("installing " + pins + " into " + home + " with pip, once; some gigabytes");
                install(python3, home, requirements, folder);
                Files.createFile(ready);
            }
        }
        Path python = home.resolve("bin/python");
        BenchChild check = ask(python, folder);
        if (check.code() != 0 || check.lines().size() != 1) {
            throw new IOException("PyTorch in " + home + " does not start: " + reason(check)
                    + "; delete that folder to have it made anew" + INSTEAD);
        }
        return new BenchPython(python, check.lines().getFirst());
    }

    private static void install(String python3, Path home, byte[] requirements, BenchFolder folder)
            throws IOException, InterruptedException {
        Path log = folder.file("install.log");
        BenchChild venv;
        try {
            venv = BenchChild.run(
                    List.of(python3, "-m", "venv", home.toString()), Map.of(), log, BenchChild.Watch.NOTHING);
        } catch (IOException e) {
            throw new IOException(
                    "PyTorch needs Python: " + e.getMessage() + "; install Python 3.10 or newer" + INSTEAD, e);
        }
        if (venv.code() != 0) {
            // Debian's python3 says so on standard output
            throw new IOException("no environment for PyTorch: " + python3 + " -m venv failed, " + reason(venv)
                    + "; on Debian and Ubuntu install python3-venv" + INSTEAD);
        }
        Path list = Files.write(folder.file("requirements.txt"), requirements);
        List<String> pip = List.of(
                home.resolve("bin/python").toString(),
                "-m",
                "pip",
                "install",
                "--disable-pip-version-check",
                "--no-input",
                "--quiet",
                "-r",
                list.toString());
        BenchChild installed = BenchChild.run(pip, Map.of(), log, BenchChild.Watch.NOTHING);
        if (installed.code() != 0) {
            throw new IOException("pip could not install PyTorch: " + reason(installed)
                    + "; it needs the network, Python 3.10 or newer and some gigabytes of disk" + INSTEAD);
        }
    }

    private static BenchChild ask(Path python, BenchFolder folder) throws IOException, InterruptedException {
        List<String> command = List.of(python.toString(), "-c", "import numpy, torch; print(torch.__version__)");
        return BenchChild.run(command, Map.of(), folder.file("python.log"), BenchChild.Watch.NOTHING);
    }

    private static String reason(BenchChild failed) {
        List<String> said = failed.lastWords().isEmpty() ? failed.lines() : failed.lastWords();
        return said.isEmpty()
                ? "it ended with code " + failed.code()
                : said.stream()
                        .filter(line -> line.startsWith("ERROR"))
                        .findFirst()
                        .orElse(said.getLast());
    }

    /** The counterpart of our timed step, unpacked into {@code folder}. */
    Path script(BenchFolder folder) throws IOException {
        return Files.write(folder.file("pytorch_step.py"), resource("pytorch_step.py"));
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream in = BenchCase.class.getResourceAsStream("/bench/" + name)) {
            return in.readAllBytes();
        }
    }
}
