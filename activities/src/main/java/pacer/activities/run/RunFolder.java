package pacer.activities.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import pacer.trainer.checkpoint.Checkpoint;
import pacer.trainer.checkpoint.CheckpointStore;
import pacer.trainer.durable.DurableFiles;
import pacer.trainer.durable.FileGuard;

/** The folder of a run and where everything in it lies (docs/architecture.md). */
public record RunFolder(Path path) {

    public String id() {
        return path.getFileName().toString();
    }

    /** The resolved spec. */
    public Path preset() {
        return path.resolve("preset.yaml");
    }

    public Path recordFile() {
        return path.resolve("run.json");
    }

    public Path events() {
        return path.resolve("events.jsonl");
    }

    public Path trainerLog() {
        return path.resolve("trainer.log");
    }

    public Path checkpoints() {
        return path.resolve("checkpoints");
    }

    /** Step of the newest checkpoint, as its manifest says; 0 where there is none. Its files are not read, which takes minutes for a large model. */
    public int newestStep() throws IOException {
        List<Checkpoint> checkpoints = new CheckpointStore(checkpoints(), notice -> {}).list();
        return checkpoints.isEmpty() ? 0 : checkpoints.getLast().state().step();
    }

    public Path samples() {
        return path.resolve("samples");
    }

    public Path metrics() {
        return path.resolve("metrics.csv");
    }

    public Path report() {
        return path.resolve("report.html");
    }

    /** Whether there is a run here: {@code run.json} is written last when a run is made. */
    public boolean exists() {
        return Files.isRegularFile(recordFile());
    }

    /**
     * What is known of the run.
     *
     * @throws IOException naming the file, when it is missing or no run record
     */
    public RunRecord read() throws IOException {
        String text;
        try {
            text = Files.readString(recordFile());
        } catch (IOException e) {
            throw new IOException(recordFile() + ": not readable (" + e + "); is '" + id() + "' a run?", e);
        }
        try {
            return RunJson.MAPPER.readValue(text, RunRecord.class);
        } catch (JsonProcessingException e) {
            throw new IOException(recordFile() + ": not a run record: " + e.getOriginalMessage(), e);
        }
    }

    /** Changes the run's record; changes from several threads and processes come one after the other, none is lost. */
    public RunRecord update(UnaryOperator<RunRecord> change) throws IOException {
        try (FileGuard _ = lock()) {
            RunRecord changed = change.apply(read());
            write(changed);
            return changed;
        }
    }

    /** Takes this run for the process that calls, so that no second one goes on with it; empty when another has it. */
    public Optional<RunLease> tryLease() throws IOException {
        return RunLease.tryTake(this);
    }

    /** Whether a process works on this run now. */
    public boolean leased() {
        try {
            return RunLease.isHeld(this);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Whether a process works on this run now for itself alone, so that no service knows of it. */
    public boolean leasedPrivately() {
        return leased() && !takenForWorkflow();
    }

    /** Whether whoever worked on this run last did so for a service elsewhere. */
    public boolean takenForWorkflow() {
        try {
            return RunLease.isForWorkflow(this);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Makes the folder with its preset and first record.
     *
     * @return false, with nothing changed, when the name is taken
     */
    boolean create(RunRecord first, String presetYaml) throws IOException {
        Files.createDirectories(path.toAbsolutePath().getParent());
        try (FileGuard _ = lock()) {
            if (exists()) {
                return false;
            }
            DurableFiles.sweep(path, Duration.ZERO); // of one that was killed before it could make the run
            DurableFiles.write(preset(), presetYaml.getBytes(StandardCharsets.UTF_8));
            write(first);
            return true;
        }
    }

    /** Makes the folder of a run of another host from its record and its preset, unless it is here already. */
    public void receive(byte[] record, byte[] preset) throws IOException {
        Files.createDirectories(path);
        try (FileGuard _ = lock()) {
            if (!exists()) {
                DurableFiles.sweep(path, Duration.ZERO);
                DurableFiles.write(preset(), preset);
                DurableFiles.write(recordFile(), record);
            }
        }
    }

    /**
     * Writes a file that is made from the run's others: its table of metrics, its report, a sample. Whoever makes it, a stage, a command, a worker that was
     * taken for dead, does so in turn, so what one that was killed left half written of it is deleted.
     */
    public void writeProduct(Path file, DurableFiles.Writer content) throws IOException {
        try (FileGuard _ = lock(".products.lock")) {
            DurableFiles.writeLocked(file, content);
        }
    }

    private FileGuard lock() throws IOException {
        return lock(".lock");
    }

    private FileGuard lock(String name) throws IOException {
        try {
            return FileGuard.take(path.resolve(name), () -> {});
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(recordFile() + ": interrupted while waiting to change it", e);
        }
    }

    private void write(RunRecord record) throws IOException {
        DurableFiles.writeLocked(
                recordFile(),
                RunJson.MAPPER.writer(SerializationFeature.INDENT_OUTPUT).writeValueAsBytes(record));
    }
}
