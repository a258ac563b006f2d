package pacer.activities.weights;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import pacer.activities.dataset.Download;
import pacer.activities.dataset.FetchSettings;
import pacer.activities.run.BadInputException;
import pacer.activities.run.CacheUse;
import pacer.activities.run.Progress;
import pacer.activities.run.Reasons;
import pacer.activities.run.RunFolder;
import pacer.activities.run.Stage;
import pacer.activities.run.StageContext;
import pacer.trainer.checkpoint.Gpt2Folder;
import pacer.trainer.checkpoint.InvalidFileException;
import pacer.trainer.checkpoint.Safetensors;
import pacer.trainer.durable.DurableFiles;
import pacer.trainer.durable.FileGuard;
import pacer.trainer.durable.Sha256;
import pacer.trainer.spec.KnownWeights;
import pacer.trainer.spec.ModelSpec;
import pacer.trainer.spec.WeightsSpec;

/**
 * Brings the weights that a training begins with to this machine: {@code weights/<digest>/}, a folder of Hugging Face's layout, proven each
 * time it is used. One that is here already, {@code file:FOLDER}, stays where it is.
 *
 * <p>A folder's digest is the SHA-256 of what {@code sha256sum config.json model*.safetensors} prints. Where none is given, the first one
 * that came is pinned.
 */
public final class WeightFolders {
    private static final String CONFIG = "config.json";
    private static final String WEIGHTS = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";
    private static final String HUB = "https://huggingface.co/";

    private final Path cache;
    private final Download download;
    private final Clock clock;

    /** @param cache folder of such folders */
    public WeightFolders(Path cache, FetchSettings settings, Clock clock) {
        this.cache = cache;
        this.download = new Download(settings, "weights.from");
        this.clock = clock;
    }

    /**
     * The folder with the weights that {@code spec} names, all of it proven.
     *
     * @param model what is to begin with them
     * @param run for which they are kept in the cache while it is at work
     * @throws BadInputException when they are not what they should be, or not for {@code model}
     * @throws IOException when trying again may help
     */
    public Path bring(WeightsSpec spec, ModelSpec model, RunFolder run, StageContext context)
            throws IOException, InterruptedException {
        try {
            if (spec.from().startsWith("file:")) {
                return here(spec, model, context);
            }
            String key = Sha256.of(spec.from());
            Files.createDirectories(cache);
            try (FileGuard _ = FileGuard.take(cache.resolve(key + ".lock"), context::check)) {
                Path pin = cache.resolve(key + ".sha256");
                Optional<String> expected = !spec.sha256().isEmpty()
                        ? Optional.of(spec.sha256())
                        : Files.exists(pin) ? Optional.of(Files.readString(pin).strip()) : Optional.empty();
                if (expected.isPresent()) { // before the look: what is there must stay
                    CacheUse.by(run, cache.resolve(expected.get()), context::check);
                }
                if (expected.isPresent() && isSound(cache.resolve(expected.get()), expected.get(), context)) {
                    Path folder = cache.resolve(expected.get());
                    Gpt2Folder.requireFit(folder, Gpt2Folder.describe(folder), model);
                    return folder;
                }
                Path part = cache.resolve(key + ".part");
                fetch(spec, model, part, context);
                String digest = digest(part, context);
                if (expected.isPresent() && !expected.get().equals(digest)) {
                    DurableFiles.deleteTree(part);
                    throw new BadInputException("weights.sha256: %s has %s, expected %s%s"
                            .formatted(
                                    spec.from(),
                                    digest,
                                    expected.get(),
                                    spec.sha256().isEmpty()
                                            ? "; it was pinned when it came first: to trust the new one delete " + pin
                                            : "; it is another model, or its home changed it"));
                }
                if (expected.isEmpty()) {
                    context.notice("weights of %s are taken as they came, SHA-256 %s, and must be the same from now on"
                            .formatted(spec.from(), digest));
                    DurableFiles.write(pin, digest.getBytes(StandardCharsets.UTF_8));
                }
                Path folder = cache.resolve(digest);
                CacheUse.by(run, folder, context::check);
                DurableFiles.deleteTree(folder);
                DurableFiles.move(part, folder);
                return folder;
            }
        } catch (InvalidFileException e) {
            throw new BadInputException("weights.from: " + spec.from() + ": " + e.getMessage(), e);
        }
    }

    private Path here(WeightsSpec spec, ModelSpec model, StageContext context) throws IOException {
        Path folder = spec.from().startsWith("file://")
                ? Path.of(URI.create(spec.from()))
                : Path.of(spec.from().substring("file:".length())).toAbsolutePath();
        if (!Files.isDirectory(folder)) {
            throw new BadInputException("weights.from: " + folder
                    + (Files.exists(folder) ? " is no folder" : " does not exist")
                    + "; give a folder with config.json and model.safetensors");
        }
        require(folder, model);
        if (!spec.sha256().isEmpty()) {
            String found = digest(folder, context);
            if (!found.equals(spec.sha256())) {
                throw new BadInputException("weights.sha256: " + folder + " has " + found + ", expected "
                        + spec.sha256() + "; for other weights give --set weights.sha256= too");
            }
        }
        return folder;
    }

    /** Opens the folder: its configuration is for {@code model}, its tensors are all there, in their shapes. */
    private static void require(Path folder, ModelSpec model) throws IOException {
        Gpt2Folder.requireFit(folder, Gpt2Folder.describe(folder), model);
        Gpt2Folder.open(folder).close();
    }

    private void fetch(WeightsSpec spec, ModelSpec model, Path part, StageContext context)
            throws IOException, InterruptedException {
        Optional<KnownWeights> known = KnownWeights.find(spec.from());
        Map<String, String> digests = known.map(KnownWeights::known).orElse(Map.of());
        List<Exception> failures = new ArrayList<>();
        for (String home : known.map(KnownWeights::homes).orElseGet(() -> List.of(home(spec.from())))) {
            try {
                fetch(home, CONFIG, part, digests, context);
                // before gigabytes come for nothing
                Gpt2Folder.requireFit(part, Gpt2Folder.describe(part), model);
                if (!isThere(home, WEIGHTS, part, digests, context)) {
                    fetch(home, INDEX, part, digests, context);
                    for (String shard : Safetensors.indexed(part.resolve(INDEX))) {
                        fetch(home, shard, part, digests, context);
                    }
                }
                require(part, model);
                return;
            } catch (InvalidFileException e) {
                DurableFiles.deleteTree(part); // as it came; another home, or another day, may have it whole
                throw e;
            } catch (BadInputException | IOException e) {
                failures.add(e);
            }
        }
        Exception first = failures.stream()
                .filter(IOException.class::isInstance)
                .findFirst()
                .orElse(failures.getFirst());
        String hint = first.getMessage() + "; a copy at hand serves as well: --set weights.from=file:FOLDER";
        if (first instanceof BadInputException) {
            throw new BadInputException(hint, first);
        }
        throw new IOException(hint, first);
    }

    /** {@code hf://ORGANISATION/NAME@REVISION} as the hub's folder of files. */
    private static String home(String from) {
        if (from.startsWith("hf://")) {
            String[] parts = from.substring("hf://".length()).split("@", 2);
            return HUB + parts[0] + "/resolve/" + (parts.length == 2 ? parts[1] : "main") + "/";
        }
        return from.endsWith("/") ? from : from + "/";
    }

    /** Fetches the weights' one file; false where there is none, as they lie in several. */
    private boolean isThere(String home, String name, Path part, Map<String, String> digests, StageContext context)
            throws IOException, InterruptedException {
        try {
            fetch(home, name, part, digests, context);
            return true;
        } catch (BadInputException e) {
            if (e.getMessage().endsWith("the server answers 404")) {
                return false;
            }
            throw e;
        }
    }

    private void fetch(String home, String name, Path part, Map<String, String> digests, StageContext context)
            throws IOException, InterruptedException {
        Path file = part.resolve(name);
        if (Files.exists(file)) {
            return; // of an attempt before; what is there is proven as a whole
        }
        Files.createDirectories(part);
        URI uri = URI.create(home + name);
        Path beside = part.resolve(name + ".part");
        try {
            String _ = download.fetchPart(uri, Optional.ofNullable(digests.get(name)), beside, (bytes, total) -> {
                context.check();
                String all = total.isPresent() ? " of %.1f".formatted(total.getAsLong() / 1e6) : "";
                context.progress(Progress.of(
                        Stage.STAGE,
                        clock.instant(),
                        total.isPresent() ? (double) bytes / Math.max(1, total.getAsLong()) : null,
                        "downloading weights, %s: %.1f%s MB".formatted(name, bytes / 1e6, all)));
            });
        } catch (BadInputException e) {
            DurableFiles.deleteTree(beside); // empty, or what is not wanted
            throw e;
        } catch (FileSystemException e) {
            throw e; // of this machine's disk
        } catch (IOException e) {
            throw new IOException(uri + ": " + Reasons.of(e), e);
        }
        DurableFiles.move(beside, file);
    }

    private boolean isSound(Path folder, String digest, StageContext context) throws IOException {
        if (!Files.isDirectory(folder)) {
            return false;
        }
        if (digest(folder, context).equals(digest)) {
            return true;
        }
        context.notice(folder + " was damaged; it is fetched again");
        DurableFiles.deleteTree(folder);
        return false;
    }

    /** SHA-256 of what {@code sha256sum config.json model*.safetensors} prints in {@code folder}. */
    private static String digest(Path folder, StageContext context) throws IOException {
        List<String> names = new ArrayList<>(List.of(CONFIG));
        try (Stream<Path> files = Files.list(folder)) {
            files.map(file -> file.getFileName().toString())
                    .filter(name -> name.startsWith("model") && name.endsWith(".safetensors"))
                    .sorted()
                    .forEach(names::add);
        }
        StringBuilder lines = new StringBuilder();
        for (String name : names) {
            lines.append(Sha256.of(folder.resolve(name), _ -> context.check()))
                    .append("  ")
                    .append(name)
                    .append('\n');
        }
        return Sha256.of(lines.toString());
    }
}
