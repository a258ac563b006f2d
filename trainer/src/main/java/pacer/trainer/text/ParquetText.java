package pacer.trainer.text;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.hardwood.InputFile;
import dev.hardwood.metadata.PhysicalType;
import dev.hardwood.reader.ParquetFileReader;
import dev.hardwood.reader.RowReader;
import dev.hardwood.schema.ColumnProjection;
import dev.hardwood.schema.ColumnSchema;
import java.io.BufferedOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import pacer.trainer.data.BadDataException;

/**
 * Documents of a Parquet file, each a value of its column {@code text}, to JSON lines, a row a line: row groups are read one after another, and
 * no other column is. The only class that knows the library, which is loaded with it.
 */
final class ParquetText {
    private static final String COLUMN = "text";
    private static final int MAGIC_BYTES = 4;

    private final Path file;

    ParquetText(Path file) {
        this.file = file;
    }

    /** Hears how many rows are written, and of how many; ends it by throwing. */
    interface Listener {
        void written(long rows, long all);
    }

    /**
     * Writes {@code target} anew.
     *
     * @throws BadDataException naming file and row, if it is no Parquet file, lacks the column, or a row has no text in it
     */
    void toJsonLines(Path target, Listener listener) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            if (channel.size() < 3 * MAGIC_BYTES) {
                throw new BadDataException("%s: %d bytes; no Parquet file is that short; see dataset.format"
                        .formatted(file, channel.size()));
            }
            try (Rows rows = new Rows(channel);
                    OutputStream out = new BufferedOutputStream(Files.newOutputStream(target), 1 << 20);
                    JsonGenerator json = new JsonFactory().createGenerator(out)) {
                for (byte[] text = rows.next(); text != null; text = rows.next()) {
                    json.writeStartObject();
                    json.writeFieldName(COLUMN);
                    json.writeUTF8String(text, 0, text.length);
                    json.writeEndObject();
                    json.writeRaw('\n');
                    listener.written(rows.row, rows.all);
                }
            }
        }
    }

    /** The rows, with what the library throws made errors for people. */
    private final class Rows implements AutoCloseable {
        private final ParquetFileReader reader;
        private final RowReader rows;
        private final long all;
        private long row;

        Rows(FileChannel channel) throws IOException {
            ParquetFileReader opened = null;
            try {
                opened = ParquetFileReader.open(new ReadFile(channel, file.toString()));
                requireColumn(opened);
                this.all = opened.getFileMetaData().numRows();
                this.rows = opened.buildRowReader()
                        .projection(ColumnProjection.columns(COLUMN))
                        .build();
                this.reader = opened;
            } catch (IOException | RuntimeException e) {
                if (opened != null) {
                    opened.close();
                }
                throw e instanceof BadDataException bad
                        ? bad
                        : new BadDataException(
                                file + ": cannot be read as Parquet: " + said(e) + "; see dataset.format", e);
            }
        }

        private void requireColumn(ParquetFileReader opened) {
            boolean there = opened.getFileSchema().getColumns().stream().anyMatch(Rows::isText);
            if (!there) {
                throw new BadDataException("%s: has no column \"text\" of strings; it has %s"
                        .formatted(
                                file,
                                opened.getFileSchema().getColumns().stream()
                                        .map(column -> column.fieldPath().toString())
                                        .toList()));
            }
        }

        private static boolean isText(ColumnSchema column) {
            return column.fieldPath().toString().equals(COLUMN)
                    && column.type() == PhysicalType.BYTE_ARRAY
                    && column.maxRepetitionLevel() == 0;
        }

        /** Text of the next row; null after the last. */
        byte[] next() {
            byte[] text;
            try {
                if (!rows.hasNext()) {
                    return requireAll();
                }
                rows.next();
                row++;
                text = rows.isNull(COLUMN) ? null : rows.getBinary(COLUMN);
            } catch (BadDataException e) {
                throw e;
            } catch (RuntimeException e) {
                throw new BadDataException(
                        "%s: row %d: cannot be read: %s; fetch the file again".formatted(file, row + 1, said(e)), e);
            }
            if (text == null) {
                throw new BadDataException("%s: row %d: has no text; leave such rows out".formatted(file, row));
            }
            int invalid = Utf8.firstInvalid(text, 0, text.length);
            if (invalid < text.length) {
                throw new BadDataException("%s: row %d: byte %d of the text, 0x%02X, is no UTF-8"
                        .formatted(file, row, invalid, text[invalid]));
            }
            return text;
        }

        private byte[] requireAll() {
            if (row != all) {
                throw new BadDataException(
                        "%s: %d rows, but its footer counts %d; fetch the file again".formatted(file, row, all));
            }
            return null;
        }

        private static String said(Exception e) {
            return e.getMessage() != null ? e.getMessage() : e.getClass().getSimpleName();
        }

        @Override
        public void close() throws IOException {
            rows.close();
            reader.close();
        }
    }

    /** Read, not mapped, so that a file cut short meanwhile is an error and no fault of memory. Its channel stays with who opened it. */
    private record ReadFile(FileChannel channel, String name) implements InputFile {
        @Override
        public void open() {}

        @Override
        public long length() throws IOException {
            return channel.size();
        }

        @Override
        public ByteBuffer readRange(long offset, int length) throws IOException {
            ByteBuffer bytes = ByteBuffer.allocate(length);
            while (bytes.hasRemaining()) {
                if (channel.read(bytes, offset + bytes.position()) < 0) {
                    throw new EOFException("it ends before byte " + (offset + length));
                }
            }
            return bytes.flip();
        }

        @Override
        public void close() {}
    }
}
