package pacer.trainer.checkpoint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import pacer.trainer.durable.Sha256;

/**
 * Writes safetensors files as the reference implementation does: tensors by falling alignment, then name; the header padded
 * with spaces (here so that data begins at a multiple of 64 bytes, of which its 8 is a part). The same tensors and metadata give
 * the same bytes. Memory needed does not depend on the tensors' sizes.
 */
public final class SafetensorsWriter {
    /** Bytes handled at once; a multiple of every element's size. */
    static final int PIECE = 1 << 22;
    /** Bytes hashed and written at once. */
    private static final int WINDOW = 1 << 20;

    private static final int DATA_ALIGNMENT = 64;

    private SafetensorsWriter() {}

    /**
     * Writes {@code file}, replacing what was there, and syncs it to disk. Hashes on the way, so that nothing is read back.
     *
     * @return the file's name, length and SHA-256
     */
    public static FileFacts write(Path file, Map<String, String> metadata, Collection<TensorSource> tensors)
            throws IOException {
        List<TensorSource> ordered = tensors.stream()
                .sorted(Comparator.comparing(TensorSource::type).reversed().thenComparing(TensorSource::name))
                .toList();
        byte[] header = header(file, metadata, ordered);
        try (FileChannel channel = FileChannel.open(
                        file,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.WRITE);
                Arena arena = Arena.ofConfined();
                Output output = new Output(channel)) {
            output.write(MemorySegment.ofArray(header));
            MemorySegment scratch = arena.allocate(PIECE, 64);
            for (TensorSource tensor : ordered) {
                long bytes = tensor.bytes();
                for (long at = 0; at < bytes; at += PIECE) {
                    long length = Math.min(PIECE, bytes - at);
                    output.write(tensor.content().read(at, length, scratch).asSlice(0, length));
                }
            }
            channel.force(true);
            return new FileFacts(file.getFileName().toString(), channel.size(), Sha256.hex(output.digest));
        } catch (IOException e) {
            throw new IOException("cannot write " + file + ": " + e.getMessage(), e);
        }
    }

    private static byte[] header(Path file, Map<String, String> metadata, List<TensorSource> tensors)
            throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(new byte[8]);
        try (JsonGenerator json = new JsonFactory().createGenerator(out)) {
            json.writeStartObject();
            if (!metadata.isEmpty()) {
                json.writeObjectFieldStart("__metadata__");
                for (Map.Entry<String, String> e : new TreeMap<>(metadata).entrySet()) {
                    json.writeStringField(e.getKey(), e.getValue());
                }
                json.writeEndObject();
            }
            long offset = 0;
            Set<String> names = new HashSet<>();
            for (TensorSource tensor : tensors) {
                if (!names.add(tensor.name())) {
                    throw new IllegalArgumentException("two tensors are called " + tensor.name());
                }
                json.writeObjectFieldStart(tensor.name());
                json.writeStringField("dtype", tensor.type().name());
                json.writeFieldName("shape");
                writeNumbers(json, tensor.shape());
                json.writeFieldName("data_offsets");
                writeNumbers(json, List.of(offset, offset + tensor.bytes()));
                json.writeEndObject();
                offset += tensor.bytes();
            }
            json.writeEndObject();
        }
        while (out.size() % DATA_ALIGNMENT != 0) {
            out.write(' ');
        }
        byte[] header = out.toByteArray();
        long length = header.length - 8L;
        if (length > SafetensorsHeader.MAX_BYTES || tensors.size() > SafetensorsHeader.MAX_ENTRIES) {
            throw new IllegalArgumentException(file + " would get a header of " + length + " bytes for "
                    + tensors.size()
                    + " tensors; at most " + SafetensorsHeader.MAX_BYTES + " and " + SafetensorsHeader.MAX_ENTRIES
                    + " are allowed");
        }
        ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).putLong(0, length);
        return header;
    }

    private static void writeNumbers(JsonGenerator json, List<Long> numbers) throws IOException {
        json.writeStartArray();
        for (long number : numbers) {
            json.writeNumber(number);
        }
        json.writeEndArray();
    }

    /** A file and the hash of what went into it; hashing, the slower of the two, goes on beside writing. */
    private static final class Output implements AutoCloseable {
        private final FileChannel channel;
        private final MessageDigest digest = Sha256.begin();
        // an array, because hashing a native buffer copies it in far smaller pieces
        private final byte[] window = new byte[WINDOW];
        private final ExecutorService writer = Executors.newSingleThreadExecutor(
                Thread.ofPlatform().daemon().name("checkpoint-writer").factory());

        Output(FileChannel channel) {
            this.channel = channel;
        }

        void write(MemorySegment bytes) throws IOException {
            for (long at = 0; at < bytes.byteSize(); at += WINDOW) {
                int length = (int) Math.min(WINDOW, bytes.byteSize() - at);
                MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, at, window, 0, length);
                Future<?> written = writer.submit(() -> {
                    ByteBuffer rest = ByteBuffer.wrap(window, 0, length);
                    while (rest.hasRemaining()) {
                        channel.write(rest);
                    }
                    return null;
                });
                digest.update(window, 0, length);
                await(written);
            }
        }

        private static void await(Future<?> written) throws IOException {
            try {
                written.get();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted");
            } catch (ExecutionException e) {
                throw e.getCause() instanceof IOException io ? io : new IOException(e.getCause());
            }
        }

        @Override
        public void close() {
            writer.close();
        }
    }
}
