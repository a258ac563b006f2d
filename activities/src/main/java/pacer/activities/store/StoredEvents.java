package pacer.activities.store;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import pacer.activities.run.RunJson;
import pacer.trainer.checkpoint.EventLog;
import pacer.trainer.checkpoint.Fence;
import pacer.trainer.durable.DurableFiles;
import pacer.trainer.durable.Sha256;

/**
 * The events of a run in the store: {@code events/<sha256>.jsonl}, pieces of the file that never change, and {@code events.json}, which lists
 * them. What a checkpoint adds is sent, not the whole file.
 */
final class StoredEvents {
    /** A last piece shorter than this is replaced by a longer one, so that they stay few. */
    private static final long SHORT = 4 << 20;

    private static final String LIST = "events.json";

    private final ObjectStore objects;
    private final String prefix;
    private final Path file;
    private final long shortPiece;
    private List<Piece> stored; // null: to be looked at

    /** @param prefix of the run's keys */
    StoredEvents(ObjectStore objects, String prefix, Path file) {
        this(objects, prefix, file, SHORT);
    }

    StoredEvents(ObjectStore objects, String prefix, Path file, long shortPiece) {
        this.objects = objects;
        this.prefix = prefix;
        this.file = file;
        this.shortPiece = shortPiece;
    }

    /** Whole lines of the file, after those of the pieces before. */
    record Piece(long bytes, String sha256) {
        Piece {
            if (bytes < 1 || sha256 == null || !sha256.matches("[0-9a-f]{64}")) {
                throw new IllegalArgumentException("a piece of %d bytes with SHA-256 %s".formatted(bytes, sha256));
            }
        }
    }

    private record Pieces(List<Piece> pieces) {}

    /** Stores the whole lines that the file has and the store has not. They are made to last before: the store must not know more than this host. */
    void send(StoredRun.Permit permit, TransferListener listener) throws IOException, InterruptedException {
        try (FileChannel events = FileChannel.open(file, StandardOpenOption.READ)) {
            long end = EventLog.wholeLines(events);
            if (stored == null || bytes(stored) > end) {
                stored = inCommon(events, end, listOrNone(listener), permit, listener);
            }
            if (bytes(stored) == end) {
                return;
            }
            events.force(false);
            List<Piece> pieces = new ArrayList<>(stored);
            Optional<Piece> grown = pieces.isEmpty() || pieces.getLast().bytes() >= shortPiece
                    ? Optional.empty()
                    : Optional.of(pieces.removeLast());
            long from = bytes(pieces);
            Piece added = new Piece(end - from, digest(events, from, end - from, listener));
            store(added, from, permit, listener);
            pieces.add(added);
            permit.require(); // a piece may have taken long
            objects.replace(prefix + LIST, Content.of(RunJson.MAPPER.writeValueAsBytes(new Pieces(pieces))), listener);
            stored = pieces;
            if (grown.isPresent()) {
                permit.require();
                objects.delete(key(grown.get()), listener);
            }
        }
    }

    /**
     * The first of {@code pieces}, as far as the file begins with them; another host's are others where both went on. What the store has lost of
     * them is stored again: this host has the right bytes, and another may not.
     */
    private List<Piece> inCommon(
            FileChannel events, long end, List<Piece> pieces, StoredRun.Permit permit, TransferListener listener)
            throws IOException, InterruptedException {
        List<Piece> same = new ArrayList<>();
        long at = 0;
        for (Piece piece : pieces) {
            if (at + piece.bytes() > end
                    || !digest(events, at, piece.bytes(), listener).equals(piece.sha256())) {
                break;
            }
            store(piece, at, permit, listener);
            same.add(piece);
            at += piece.bytes();
        }
        return same;
    }

    /** Stores the piece that begins at {@code from} in the file, unless the store has it. */
    private void store(Piece piece, long from, StoredRun.Permit permit, TransferListener listener)
            throws IOException, InterruptedException {
        try (Content content = Content.of(file, from, piece.bytes(), piece.sha256())) {
            try {
                boolean _ = objects.put(key(piece), content, listener);
            } catch (ObjectConflictException other) { // its name is the digest of what it should hold
                permit.require();
                objects.replace(key(piece), content, listener);
            }
        }
    }

    /**
     * Deletes the pieces that are damaged in the store, which nothing else would notice before another host needs them; what is sent next brings them
     * anew, from a host that has the right bytes.
     */
    void weed(TransferListener listener) throws IOException, InterruptedException {
        for (Piece piece : listOrNone(listener)) {
            if (!objects.isSound(key(piece), piece.bytes(), piece.sha256(), listener)) {
                discard(piece, listener);
            }
        }
    }

    private void discard(Piece piece, TransferListener listener) throws IOException, InterruptedException {
        objects.delete(key(piece), listener); // who has the right bytes can store them then
        stored = null;
    }

    /**
     * Adds to the file what the store knows and it does not.
     *
     * @return what was missing or damaged there, and is passed over
     */
    List<String> bring(Fence fence, TransferListener listener) throws IOException, InterruptedException {
        Path whole = DurableFiles.beside(file);
        try {
            List<String> damage = fetch(whole, listener);
            if (Files.exists(whole)) {
                try (EventLog log = EventLog.open(file, fence)) {
                    log.join(whole);
                    log.sync();
                }
            }
            return damage;
        } finally {
            Files.deleteIfExists(whole);
        }
    }

    /** Makes the file, where there is none: for who only reads of the run. */
    void bringAnew(TransferListener listener) throws IOException, InterruptedException {
        Path whole = DurableFiles.beside(file);
        try {
            List<String> _ = fetch(whole, listener);
            if (Files.exists(whole) && !Files.exists(file)) {
                DurableFiles.sync(whole);
                DurableFiles.move(whole, file);
            }
        } finally {
            Files.deleteIfExists(whole);
        }
    }

    /** Its host may be at work, and replace the last piece by a longer one meanwhile: then the list is another. */
    private List<String> fetch(Path whole, TransferListener listener) throws IOException, InterruptedException {
        List<Piece> pieces = list(listener);
        while (true) {
            List<String> damage = fetch(pieces, whole, listener);
            List<Piece> now = damage.isEmpty() ? pieces : list(listener);
            if (now.equals(pieces)) {
                return damage;
            }
            pieces = now;
            Files.deleteIfExists(whole);
        }
    }

    private List<String> fetch(List<Piece> pieces, Path whole, TransferListener listener)
            throws IOException, InterruptedException {
        Path one = DurableFiles.beside(whole);
        List<String> damage = new ArrayList<>();
        long all = bytes(pieces);
        long before = 0;
        for (Piece piece : pieces) {
            long done = before;
            try {
                objects.get(
                        key(piece),
                        piece.bytes(),
                        piece.sha256(),
                        one,
                        (moved, of) -> listener.moved(done + moved, all));
                try (OutputStream out =
                        Files.newOutputStream(whole, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
                    Files.copy(one, out);
                }
            } catch (NoSuchFileException e) {
                damage.add(objects.address(key(piece)) + " is gone");
            } catch (DamagedObjectException e) {
                damage.add(e.getMessage());
                discard(piece, listener);
            } finally {
                Files.deleteIfExists(one);
            }
            before += piece.bytes();
        }
        return damage;
    }

    private List<Piece> list(TransferListener listener) throws IOException, InterruptedException {
        Optional<byte[]> list = objects.read(prefix + LIST, listener);
        try {
            return list.isEmpty()
                    ? List.of()
                    : List.copyOf(
                            RunJson.MAPPER.readValue(list.get(), Pieces.class).pieces());
        } catch (IOException | NullPointerException e) {
            throw new DamagedObjectException(objects.address(prefix + LIST) + ": no list of events: " + e.getMessage());
        }
    }

    private List<Piece> listOrNone(TransferListener listener) throws IOException, InterruptedException {
        try {
            return list(listener);
        } catch (DamagedObjectException e) {
            return List.of(); // it is written anew
        }
    }

    private static String digest(FileChannel events, long from, long bytes, TransferListener listener)
            throws IOException {
        MessageDigest digest = Sha256.begin();
        Sha256.update(digest, events, from, bytes, done -> listener.moved(0, bytes));
        return Sha256.hex(digest);
    }

    private static long bytes(List<Piece> pieces) {
        return pieces.stream().mapToLong(Piece::bytes).sum();
    }

    private String key(Piece piece) {
        return prefix + "events/" + piece.sha256() + ".jsonl";
    }
}
